"""Open Images: CSV with a row for each box, edges relative to the image's size.

    ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsOccluded,IsTruncated,IsGroupOf,…

Edges are fractions of width and height, which stand nowhere: the image is asked. Nine decimals are written:
precise to 0.00001 of a pixel in an image 10,000 pixels wide. `ImageID` is the image's name without `.jpg`. A table
`class-descriptions*.csv` beside the file turns codes such as `/m/01g317` into names. A file without edges gives
classes of images. Cells may be separated by semicolons and have decimal commas.

Not held: images without boxes, classes of images beside boxes, outlines, attributes but those above.
Source: https://storage.googleapis.com/openimages/web/download_v7.html
"""

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path

from cv_pipelines.annotations.annotation import NONE, Annotation, Attributes, Box
from cv_pipelines.annotations.exchange import Exchange
from cv_pipelines.annotations.formats.format import Format, Sight
from cv_pipelines.annotations.formats.gathering import Gathering
from cv_pipelines.annotations.formats.losses import lose_others, lose_outline
from cv_pipelines.annotations.formats.table import Row, guarded, take_rows, unguarded
from cv_pipelines.annotations.formats.values import class_name, comma_number, image_name, with_suffix
from cv_pipelines.annotations.report import ItemError
from cv_pipelines.errors import InputError

_FLAGS = {
    "IsOccluded": "occluded",
    "IsTruncated": "truncated",
    "IsGroupOf": "iscrowd",
    "IsDepiction": "depiction",
    "IsInside": "inside",
}
_COLUMNS = ("ImageID", "Source", "LabelName", "Confidence", "XMin", "XMax", "YMin", "YMax", *_FLAGS)
_EDGES = ("xmin", "xmax", "ymin", "ymax")


class _Images:
    """The images of a file: their numbers, sizes and classes."""

    def __init__(self, exchange: Exchange) -> None:
        self.numbers: dict[str, int] = {}
        self.sizes: list[tuple[int, int] | None] = []
        self.classes: dict[str, tuple[str, ...]] = {}
        self._exchange = exchange

    def number(self, name: str) -> int:
        if name not in self.numbers:
            self.numbers[name] = len(self.sizes)
            self.sizes.append(self._exchange.images.size(name))
        return self.numbers[name]


def read(source: Path, exchange: Exchange) -> Iterator[Annotation]:
    """See Read."""
    names, boxes, images = _descriptions(source), Gathering(), _Images(exchange)
    needed = (("ImageID",), ("LabelName",))
    take_rows(source, exchange, needed, lambda row: _take(row, names, boxes, images, exchange))
    groups = boxes.by_image(len(images.numbers), exchange.classes.frozen().names)
    for (name, number), found in zip(images.numbers.items(), groups, strict=True):
        width, height = images.sizes[number] or (None, None)
        yield Annotation(name, width, height, images.classes.get(name, ()), found, NONE, name.removesuffix(".jpg"))


def _take(row: Row, names: dict[str, str], boxes: Gathering, images: _Images, exchange: Exchange) -> None:
    code = unguarded(row["labelname"]).strip()
    label, image = class_name(names.get(code, code)), image_name(with_suffix(unguarded(row["imageid"]), ".jpg"))
    if "xmin" not in row:
        images.number(image)
        exchange.classes.number(label)
        images.classes[image] = tuple(dict.fromkeys([*images.classes.get(image, ()), label]))
        return
    left, right, top, bottom = (comma_number(row.get(edge, "")) for edge in _EDGES)
    number = images.number(image)
    size = images.sizes[number]
    if size is None:
        raise ItemError("missing_image", f"the image '{image}' is needed for its size, and is missing")
    width, height = size
    place = left * width, top * height, (right - left) * width, (bottom - top) * height
    boxes.add(number, exchange.classes.number(label), place, _attributes(row))


def _attributes(row: Row) -> Attributes:
    found: dict[str, str | int | float] = {
        ours: 1 for theirs, ours in _FLAGS.items() if row.get(theirs.lower(), "").strip() == "1"
    }
    if source := unguarded(row.get("source", "").strip()):
        found["source"] = source
    if (confidence := row.get("confidence", "").strip()) and comma_number(confidence) != 1:
        found["score"] = comma_number(confidence)
    return found or NONE


def write(annotations: Iterable[Annotation], target: Path, exchange: Exchange) -> None:
    """See Write."""
    with target.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(_COLUMNS)
        for one in annotations:
            with exchange.report.item(one.image):
                size = exchange.size_of(one)
                if size is None:
                    raise ItemError("no_size", "Open Images is relative to the image's size, which is not known")
                rows.writerows([_row(box, one, size, exchange) for box in one.boxes])
                if not one.boxes:
                    exchange.report.loss("images without boxes", one.image)
                if one.classes:
                    exchange.report.loss("classes of images beside boxes", one.image)
                lose_others(one.attributes, set(), one.image, exchange)


def _row(box: Box, one: Annotation, size: tuple[int, int], exchange: Exchange) -> list[object]:
    exchange.classes.number(box.label)
    lose_outline(box, one.image, exchange)
    said = box.attributes
    lose_others(said, {"source", "score", *_FLAGS.values()}, one.image, exchange)
    width, height = size
    edges = (box.left / width, box.right / width, box.top / height, box.bottom / height)
    return [
        guarded(one.image.removesuffix(".jpg")),
        guarded(str(said.get("source", ""))),
        guarded(box.label),
        said.get("score", 1),
        *(f"{edge:.9f}" for edge in edges),
        *(int(bool(said.get(name))) for name in _FLAGS.values()),
    ]


def _descriptions(source: Path) -> dict[str, str]:
    """The names of classes by their codes, of the table beside the file."""
    found: dict[str, str] = {}
    for path in sorted(source.parent.glob("*class-descriptions*.csv"))[:1]:
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            try:
                found = {row[0].strip(): row[1].strip() for row in csv.reader(file) if len(row) > 1}
            except csv.Error as error:
                raise InputError("not_csv", f"'{path}': not CSV: {error}.") from error
    return found


def _recognise(sight: Sight) -> bool:
    head = sight.heads.get(".csv", "").split("\n", 1)[0].lower()
    return not sight.files and "imageid" in head and "labelname" in head


OPENIMAGES = Format("openimages", "Open Images (CSV)", False, read, write, _recognise)
