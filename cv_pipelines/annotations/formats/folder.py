"""Folders: an image's class is the folder it lies in; folders `train`, `validation`, `val`, `test` are splits.

    train/cat/0001.jpg      cat/0001.jpg

Written are copies of the images, so they have to be named. An image keeps its name below the folder of its class,
also where it already begins with that.

Not held: boxes, all classes of an image but the first, attributes but `split`.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from cv_pipelines.annotations.annotation import Annotation
from cv_pipelines.annotations.exchange import Exchange
from cv_pipelines.annotations.formats.format import Format, Sight
from cv_pipelines.annotations.formats.losses import lose_others
from cv_pipelines.annotations.formats.values import class_name
from cv_pipelines.annotations.images import SUFFIXES, ImageFolder
from cv_pipelines.annotations.report import ItemError
from cv_pipelines.errors import InputError

_SPLITS = ("train", "validation", "val", "test")


def read(source: Path, exchange: Exchange) -> Iterator[Annotation]:
    """See Read. The name of an image is its whole path, so equal file names of two classes stay apart."""
    images, found = ImageFolder(source), False
    for name in images.names():
        found = True
        folders = name.split("/")[:-1]
        split = folders.pop(0) if folders and folders[0] in _SPLITS else ""
        with exchange.report.item(name):
            if not folders:
                raise ItemError("no_class", "an image outside of any folder of a class")
            size = images.size(name)
            if size is None:
                raise ItemError("not_an_image", "it is no image, whatever its name says")
            label = class_name(folders[0])
            exchange.classes.number(label)
            yield Annotation(name, *size, (label,), (), {"split": split} if split else {})
    if not found:
        raise InputError("no_labels", f"There are no images in '{source}'.")


def write(annotations: Iterable[Annotation], target: Path, exchange: Exchange) -> None:
    """See Write."""
    taken = set[str]()
    for one in annotations:
        with exchange.report.item(one.image):
            if one.boxes:
                exchange.report.loss("boxes", one.image)
            if not one.classes:
                exchange.report.loss("images without a class", one.image)
                continue
            if len(one.classes) > 1:
                exchange.report.loss("classes of an image beside its first", one.image)
            lose_others(one.attributes, {"split"}, one.image, exchange)
            name = _place(one)
            if name in taken:
                raise ItemError("same_file", f"a second image would be '{name}'")
            taken.add(name)
            if not exchange.images.copy(one.image, target / name):
                raise ItemError("missing_image", "the image is missing; name the folder of the images")


def _place(one: Annotation) -> str:
    """Where the copy of an image goes."""
    label, split = one.classes[0], str(one.attributes.get("split", ""))
    if "/" in label or "\\" in label or label in (".", "..", *_SPLITS):
        raise ItemError("bad_class", f"no folder can have the name of the class '{label}'")
    start = f"{split}/" if split in _SPLITS else ""
    name = one.image.removeprefix(start)
    return f"{start}{name if name.startswith(f'{label}/') else f'{label}/{name}'}"


def _recognise(sight: Sight) -> bool:
    images = [file for file in sight.files if file.lower().endswith(SUFFIXES)]
    return bool(images) and len(images) == len(sight.files) and all("/" in file for file in images)


FOLDER = Format("folder", "a folder for each class", True, read, write, _recognise)
