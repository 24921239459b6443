"""All formats, and which one a path looks like."""

from pathlib import Path

from cv_pipelines.annotations.formats.coco import COCO
from cv_pipelines.annotations.formats.csv_boxes import CSV
from cv_pipelines.annotations.formats.cvat import CVAT
from cv_pipelines.annotations.formats.folder import FOLDER
from cv_pipelines.annotations.formats.format import Format, Sight
from cv_pipelines.annotations.formats.imagenet import IMAGENET
from cv_pipelines.annotations.formats.labelme import LABELME
from cv_pipelines.annotations.formats.labelstudio import LABELSTUDIO
from cv_pipelines.annotations.formats.openimages import OPENIMAGES
from cv_pipelines.annotations.formats.voc import VOC
from cv_pipelines.annotations.formats.yolo import YOLO, YOLO_SEGMENTATION
from cv_pipelines.errors import InputError

# the first that recognises a path is what it looks like: ImageNet is VOC with more folders
FORMATS: tuple[Format, ...] = (
    COCO,
    IMAGENET,
    VOC,
    YOLO,
    YOLO_SEGMENTATION,
    LABELME,
    CVAT,
    OPENIMAGES,
    LABELSTUDIO,
    CSV,
    FOLDER,
)
NAMES = tuple(one.name for one in FORMATS)
_MOST_FILES = 2000
_HEAD = 1 << 16


def find_format(name: str) -> Format:
    """The format of a name.

    Raises:
        InputError: `unknown_format`.
    """
    found = next((one for one in FORMATS if one.name == name), None)
    if found is None:
        raise InputError("unknown_format", f"There is no format '{name}'; there are {', '.join(NAMES)}.")
    return found


def detect(path: Path) -> Format | None:
    """The format that a file or folder looks like; None where it looks like none.

    Raises:
        InputError: `no_file`: there is nothing.
    """
    sight = _look(path)
    return next((one for one in FORMATS if one.recognise(sight)), None)


def require_format(path: Path, named: Format) -> None:
    """Refuse a path that does not look like the format that somebody named, but like another.

    Raises:
        InputError: `wrong_format`, with the format that it looks like; `no_file`.
    """
    sight = _look(path)
    if named.recognise(sight):
        return
    likely = next((one for one in FORMATS if one.recognise(sight)), None)
    if likely is not None:
        raise InputError("wrong_format", f"'{path}' does not look like {named.name}, but like {likely.name}.")
    if named.folder is not path.is_dir() and not (named.folder and path.is_file()):
        kind = "folder" if path.is_dir() else "file"
        raise InputError("wrong_format", f"'{path}' is a {kind}; {named.name} is one file.")


def _look(path: Path) -> Sight:
    if not path.exists():
        raise InputError("no_file", f"There is no '{path}'.")
    if path.is_file():
        return Sight(path, (), {path.suffix.lower(): _head(path)})
    files: list[str] = []
    heads: dict[str, str] = {}
    for found in path.rglob("*"):
        if found.is_file():
            files.append(found.relative_to(path).as_posix())
            suffix = found.suffix.lower()
            if suffix in (".json", ".xml", ".txt") and not heads.get(suffix):  # an empty file looks like nothing
                heads[suffix] = _head(found)
        if len(files) >= _MOST_FILES:
            break
    return Sight(path, tuple(sorted(files)), heads)


def _head(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(_HEAD).decode(errors="replace")
