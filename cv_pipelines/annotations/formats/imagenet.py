"""ImageNet (ILSVRC): an XML file for each image with boxes, and image sets that list all images.

Edges are 0-based inclusive whole pixels (see voc_xml): precise to half a pixel an edge. Images are `.JPEG`, and
neither image sets nor XML say so. A folder such as `n01440764` is the class of the images in it.

    Annotations/CLS-LOC/train/n01440764/n01440764_10026.xml
    ImageSets/CLS-LOC/train.txt           n01440764/n01440764_10026 1

Not held: classes of images that are not their folder, outlines, attributes as in VOC.
Source: development kit of ILSVRC 2017.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from functools import partial
from itertools import count
from pathlib import Path, PurePosixPath
from typing import TextIO

from cv_pipelines.annotations.annotation import Annotation
from cv_pipelines.annotations.exchange import Exchange
from cv_pipelines.annotations.formats.files import FileNames, folders_of, load_each, write_text
from cv_pipelines.annotations.formats.format import Format, Sight
from cv_pipelines.annotations.formats.losses import lose_others
from cv_pipelines.annotations.formats.values import image_name, with_suffix
from cv_pipelines.annotations.formats.voc_xml import boxes_of, document, size_of
from cv_pipelines.annotations.formats.xml_nodes import load_xml

_ORIGIN = 0
_SUFFIX = ".JPEG"
_SYNSET = re.compile(r"n\d{8}")
_TASKS = ("CLS-LOC", "DET", "VID")
_SPLITS = ("train", "val", "test")


def read(source: Path, exchange: Exchange) -> Iterator[Annotation]:
    """See Read. Images of a set without a file of boxes come last."""
    seen = set()
    for name, root in load_each(source, ".xml", partial(load_xml, root="annotation"), exchange.report):
        with exchange.report.item(name):
            folders, split = _place(folders_of(name))
            file_name = with_suffix(root.said("filename") or PurePosixPath(name).stem, _SUFFIX)
            image = image_name("/".join([*folders, file_name.rsplit("/", 1)[-1]]))
            seen.add(image)
            boxes = boxes_of(root, name, _ORIGIN, exchange)
            yield Annotation(image, *size_of(root), _classes(folders, exchange), boxes, _said(split))
    yield from _listed(source, seen, exchange)


def _listed(source: Path, seen: set[str], exchange: Exchange) -> Iterator[Annotation]:
    """Images that the sets name and that have no file of boxes."""
    for path in sorted(source.glob("ImageSets/**/*.txt")):
        split = path.stem.split("_")[0]
        with path.open(encoding="utf-8", errors="replace") as file:
            for number, line in enumerate(file, start=1):
                if not line.strip():
                    continue
                with exchange.report.item(f"{path.relative_to(source)}:{number}"):
                    image = image_name(with_suffix(_listed_name(line), _SUFFIX))
                    if image not in seen:
                        seen.add(image)
                        classes = _classes(image.split("/")[:-1], exchange)
                        yield Annotation(image, classes=classes, attributes=_said(split))


def write(annotations: Iterable[Annotation], target: Path, exchange: Exchange) -> None:
    """See Write."""
    names = FileNames(".xml")
    with _Sets(target) as sets:
        for one in annotations:
            with exchange.report.item(one.image):
                name = names.of(one.image)
                split = str(one.attributes.get("split", "train"))
                if split not in _SPLITS:
                    exchange.report.loss("splits but train, val and test: they become train", one.image)
                    split = "train"
                folders, bare = one.image.split("/")[:-1], one.image.removesuffix(_SUFFIX)
                text = document(one, "/".join(folders), bare.rsplit("/", 1)[-1], _ORIGIN, exchange)
                write_text(target, f"Annotations/{_TASKS[0]}/{split}/{name}", text)
                sets.add(split, bare)
                if set(one.classes) - set(folders[-1:]):
                    exchange.report.loss("classes of images that are not their folder", one.image)
                lose_others(one.attributes, {"split"}, one.image, exchange)
    (target / "Annotations").mkdir(exist_ok=True)


class _Sets(ExitStack):
    """The image sets as they are written: a file for each split, in which images are numbered from 1."""

    def __init__(self, target: Path) -> None:
        super().__init__()
        self._folder = target / "ImageSets" / _TASKS[0]
        self._files: dict[str, tuple[TextIO, Iterator[int]]] = {}

    def add(self, split: str, image: str) -> None:
        if split not in self._files:
            self._folder.mkdir(parents=True, exist_ok=True)
            opened = (self._folder / f"{split}.txt").open("w", encoding="utf-8")
            self._files[split] = self.enter_context(opened), count(1)
        file, numbers = self._files[split]
        file.write(f"{image} {next(numbers)}\n")


def _place(folders: list[str]) -> tuple[list[str], str]:
    """The folders of an image, and its split, of those of its XML file."""
    if "Annotations" in folders:
        folders = folders[folders.index("Annotations") + 1 :]
    if folders and folders[0] in _TASKS:
        folders = folders[1:]
    if folders and folders[0] in _SPLITS:
        return folders[1:], folders[0]
    return folders, ""


def _listed_name(line: str) -> str:
    """The image of a line of an image set: all but the number at its end."""
    name, _, number = line.strip().rpartition(" ")
    return name if name and number.isdigit() else line.strip()


def _classes(folders: list[str], exchange: Exchange) -> tuple[str, ...]:
    if not folders or not _SYNSET.fullmatch(folders[-1]):
        return ()
    exchange.classes.number(folders[-1])
    return (folders[-1],)


def _said(split: str) -> dict[str, str]:
    return {"split": split} if split else {}


def _recognise(sight: Sight) -> bool:
    places = [file for file in sight.files if file.startswith(("ImageSets/", "Annotations/"))]
    return any(task in PurePosixPath(file).parts for file in places for task in _TASKS)


IMAGENET = Format(
    "imagenet", "ImageNet (a folder of XML with image sets)", True, read, write, _recognise, lists_all=True
)
