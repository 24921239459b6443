"""Pascal VOC: an XML file for each image, and lists of the images of each split.

Edges are 1-based inclusive whole pixels (see voc_xml): precise to half a pixel an edge.
Folders are kept: `Annotations/video-1/0001.xml` is about `video-1/0001.jpg`.

Not held: classes of images, outlines, attributes but `truncated`, `difficult`, `occluded`, `pose`.
Source: development kit of the VOC2012 challenge.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path, PurePosixPath

from cv_pipelines.annotations.annotation import Annotation
from cv_pipelines.annotations.exchange import Exchange
from cv_pipelines.annotations.formats.files import FileNames, folders_of, load_each, without, write_text
from cv_pipelines.annotations.formats.format import Format, Sight
from cv_pipelines.annotations.formats.losses import lose_others
from cv_pipelines.annotations.formats.values import image_name, with_suffix
from cv_pipelines.annotations.formats.voc_xml import boxes_of, document, size_of
from cv_pipelines.annotations.formats.xml_nodes import load_xml

_ORIGIN = 1
_SPLITS = ("train", "val", "test")
_SETS = "ImageSets/Main"


def read(source: Path, exchange: Exchange) -> Iterator[Annotation]:
    """See Read. The image is named by the folders of its file and by `<filename>`."""
    splits = _splits(source)
    for name, root in load_each(source, ".xml", partial(load_xml, root="annotation"), exchange.report):
        with exchange.report.item(name):
            folders = without(folders_of(name), ["annotations"])
            stem = "/".join([*folders, PurePosixPath(name).stem])
            file_name = root.said("filename").replace("\\", "/").rsplit("/", 1)[-1] or PurePosixPath(name).stem
            image = image_name("/".join([*folders, with_suffix(file_name, ".jpg")]))
            boxes, split = boxes_of(root, name, _ORIGIN, exchange), splits.get(stem)
            yield Annotation(image, *size_of(root), (), boxes, {"split": split} if split else {})


def write(annotations: Iterable[Annotation], target: Path, exchange: Exchange) -> None:
    """See Write."""
    names, splits = FileNames(".xml"), defaultdict[str, list[str]](list)
    for one in annotations:
        with exchange.report.item(one.image):
            name = names.of(one.image)
            *folders, file_name = one.image.split("/")
            text = document(one, "/".join(folders), file_name, _ORIGIN, exchange)
            write_text(target, f"Annotations/{name}", text)
            if one.classes:
                exchange.report.loss("VOC has no classes of images", one.image)
            split = one.attributes.get("split")
            if split in _SPLITS:
                splits[str(split)].append(name.removesuffix(".xml"))
            lose_others(one.attributes, {"split"} if split in _SPLITS else set(), one.image, exchange)
    (target / "Annotations").mkdir(exist_ok=True)
    for split, stems in splits.items():
        write_text(target, f"{_SETS}/{split}.txt", "".join(f"{stem}\n" for stem in stems))


def _splits(source: Path) -> dict[str, str]:
    """The split of each image that a list names."""
    found = {}
    for split in _SPLITS:
        path = source / _SETS / f"{split}.txt"
        if path.is_file():
            with path.open(encoding="utf-8", errors="replace") as file:
                found.update({line.strip(): split for line in file if line.strip()})
    return found


def _recognise(sight: Sight) -> bool:
    return "<annotation" in sight.heads.get(".xml", "").replace("<annotations", "")


VOC = Format("voc", "Pascal VOC (a folder of XML)", True, read, write, _recognise)
