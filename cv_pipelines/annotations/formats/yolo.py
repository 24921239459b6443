"""YOLO: a text file for each image, a line for each object; `data.yaml` names the classes.

    images/train/0001.jpg      labels/train/0001.txt      3 0.5 0.5 0.25 0.1        class, centre, size
                                                          3 0.1 0.1 0.2 0.1 0.2 0.3 class, corners

All is relative to width and height, which stand nowhere: the image is asked. Nine decimals are written: precise to
0.00001 of a pixel in an image 10,000 pixels wide. `yolo` writes boxes; `yolo-segmentation` writes corners, upright
rectangles for objects of which only the box is known, and these are read as boxes again. Parts and holes of an
outline are joined by lines of no width.

Not held: classes and attributes of images, attributes of objects; a sixth number is read as `score`.
Source: https://docs.ultralytics.com/datasets/detect/
"""

from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

from cv_pipelines.annotations.annotation import Annotation, Box, is_rectangle, outlined, rectangle
from cv_pipelines.annotations.exchange import Exchange
from cv_pipelines.annotations.formats.files import FileNames, files_below, folders_of, without, write_text
from cv_pipelines.annotations.formats.format import Format, Sight
from cv_pipelines.annotations.formats.losses import lose_others, lose_outline, one_ring
from cv_pipelines.annotations.formats.values import class_name, number
from cv_pipelines.annotations.formats.yolo_classes import read_names, write_names
from cv_pipelines.annotations.images import SUFFIXES
from cv_pipelines.annotations.report import ItemError, Report

_NOT_LABELS = {"classes.txt", "obj.names", "requirements.txt", "readme.txt", "train.txt", "val.txt", "test.txt"}


def read(source: Path, exchange: Exchange) -> Iterator[Annotation]:
    """See Read. An image is at the place of its labels, with `images` for `labels`."""
    names = read_names(source, exchange)
    stems = _by_stem(exchange.images.names())
    for path, name in files_below(source, ".txt"):
        if path.name.lower() in _NOT_LABELS:
            continue
        stem = "/".join([*without(folders_of(name), ["labels"]), path.stem])
        with exchange.report.item(name):
            image = _image(stem, stems)
            size = exchange.images.size(image)
            if size is None:
                raise ItemError("missing_image", f"the image '{image}' is needed for its size, and is missing")
            boxes = tuple(_boxes(path, name, size, names, exchange.report))
            for box in boxes:
                exchange.classes.number(box.label)
            yield Annotation(image, *size, (), boxes)


def write(annotations: Iterable[Annotation], target: Path, exchange: Exchange, corners: bool) -> None:
    """See Write.

    Args:
        annotations: as there.
        target: as there.
        exchange: as there.
        corners: write outlines, not boxes.
    """
    files = FileNames(".txt")
    for one in annotations:
        with exchange.report.item(one.image):
            size = exchange.size_of(one)
            if size is None:
                raise ItemError("no_size", "YOLO is relative to the image's size, which is not known")
            name = files.of(one.image)
            if name.endswith(f"{one.image.rsplit('/', 1)[-1]}.txt") and one.image.lower().endswith(SUFFIXES):
                raise ItemError("same_file", "YOLO has one file for images that differ only in their suffix")
            lines = [_line(box, size, one, exchange, corners) for box in one.boxes]
            write_text(target, f"labels/{name}", "".join(f"{line}\n" for line in lines))
            if one.classes:
                exchange.report.loss("YOLO has no classes of images beside boxes", one.image)
            lose_others(one.attributes, set(), one.image, exchange)
    (target / "labels").mkdir(exist_ok=True)
    write_names(target, exchange.classes.frozen())


def _line(box: Box, size: tuple[int, int], one: Annotation, exchange: Exchange, corners: bool) -> str:
    width, height = size
    lose_others(box.attributes, set(), one.image, exchange)
    if corners:
        upright = rectangle(box.left, box.top, box.width, box.height)
        ring = one_ring(box, one.image, exchange) if box.outline else upright
        places = [part for x, y in ring for part in (x / width, y / height)]
    else:
        lose_outline(box, one.image, exchange)
        centre = (box.left + box.width / 2) / width, (box.top + box.height / 2) / height
        places = [*centre, box.width / width, box.height / height]
    return " ".join([str(exchange.classes.number(box.label)), *(f"{place:.9f}" for place in places)])


def _boxes(path: Path, name: str, size: tuple[int, int], names: list[str], report: Report) -> Iterator[Box]:
    with path.open(encoding="utf-8", errors="replace") as file:
        for place, line in enumerate(file, start=1):
            if line.strip():
                with report.item(f"{name}:{place}"):
                    yield _box(line.split(), size, names)


def _box(cells: list[str], size: tuple[int, int], names: list[str]) -> Box:
    if not cells[0].isdecimal() or len(cells[0]) > 6:
        raise ItemError("bad_class", f"'{cells[0][:40]}' is not the number of a class")
    place = int(cells[0])
    if names and place >= len(names):
        raise ItemError("unknown_class", f"class {place}, of {len(names)} named from 0 on")
    label = names[place] if names else class_name(place)
    values = [number(cell) for cell in cells[1:]]
    width, height = size
    if len(values) in (4, 5):
        x, y, across, down = (v * s for v, s in zip(values, (width, height, width, height), strict=False))
        score = {"score": values[4]} if len(values) == 5 else {}
        return Box(label, x - across / 2, y - down / 2, across, down, (), score)
    if len(values) < 6 or len(values) % 2:
        raise ItemError("bad_line", f"{len(cells)} values; a box has 5, an outline 7, 9, 11 …")
    ring = tuple((x * width, y * height) for x, y in zip(values[0::2], values[1::2], strict=True))
    found = outlined(label, (ring,))
    return found._replace(outline=()) if is_rectangle(ring) else found


def _by_stem(images: Iterable[str]) -> dict[str, list[str]]:
    """Images by their paths without suffix, and without a folder `images`."""
    found: dict[str, list[str]] = {}
    for image in images:
        *folders, name = image.split("/")
        stem = "/".join([*without(folders, ["images"]), name.rsplit(".", 1)[0]])
        found.setdefault(stem, []).append(image)
    return found


def _image(stem: str, stems: dict[str, list[str]]) -> str:
    """The image of a label file.

    Raises:
        ItemError: `missing_image` or `two_images`.
    """
    images = stems.get(stem, [])
    if not images:
        raise ItemError("missing_image", f"there is no image '{stem}.*'; it is needed for its size")
    if len(images) > 1:
        raise ItemError("two_images", f"it could be about {' or '.join(images[:3])}")
    return images[0]


def _recognise(sight: Sight) -> bool:
    if any(file.rsplit("/", 1)[-1] in ("data.yaml", "classes.txt") for file in sight.files):
        return True
    first = sight.heads.get(".txt", "").split("\n", 1)[0].split()
    return len(first) >= 5 and first[0].isdecimal() and all(cell.replace(".", "", 1).isdecimal() for cell in first)


YOLO = Format("yolo", "YOLO detection (text and data.yaml)", True, read, partial(write, corners=False), _recognise)
YOLO_SEGMENTATION = Format(
    "yolo-segmentation",
    "YOLO segmentation (the same with corners)",
    True,
    read,
    partial(write, corners=True),
    _recognise,
)
