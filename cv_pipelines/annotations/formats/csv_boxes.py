"""CSV: one row for each box, with the header that TensorFlow's examples made common.

    filename,width,height,class,xmin,ymin,xmax,ymax,split

Edges are float pixels from the outer corner, exact but for the last bit. A row without edges is a class of the
whole image, a row without class says that the image is there. Read, too: cells separated by semicolons or tabs,
decimal commas, other common names of columns, rows of an image that are not together. Cells that a spreadsheet
would run get an apostrophe.

Not held: outlines, attributes but `split` of images.
"""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cv_pipelines.annotations.annotation import NONE, Annotation
from cv_pipelines.annotations.exchange import Exchange
from cv_pipelines.annotations.formats.format import Format, Sight
from cv_pipelines.annotations.formats.gathering import Gathering
from cv_pipelines.annotations.formats.losses import lose_others, lose_outline
from cv_pipelines.annotations.formats.table import Row, guarded, take_rows, unguarded
from cv_pipelines.annotations.formats.values import class_name, comma_number, image_name, size
from cv_pipelines.annotations.report import ItemError

COLUMNS = ("filename", "width", "height", "class", "xmin", "ymin", "xmax", "ymax", "split")
_ALSO = {
    "filename": ("image", "file_name", "image_path", "path", "image_name"),
    "class": ("label", "class_name", "category", "name"),
    "xmin": ("x1", "x_min"),
    "ymin": ("y1", "y_min"),
    "xmax": ("x2", "x_max"),
    "ymax": ("y2", "y_max"),
    "split": ("set", "subset"),
}
_EDGES = ("xmin", "ymin", "xmax", "ymax")


@dataclass(slots=True)
class _Image:
    number: int
    name: str
    width: int | None
    height: int | None
    split: str
    classes: tuple[str, ...] = ()


def read(source: Path, exchange: Exchange) -> Iterator[Annotation]:
    """See Read."""
    boxes, images = Gathering(), dict[str, _Image]()
    names = ("filename", *_ALSO["filename"])
    take_rows(source, exchange, [names], lambda row: _take(row, images, boxes, exchange))
    groups = boxes.by_image(len(images), exchange.classes.frozen().names)
    for one, found in zip(images.values(), groups, strict=True):
        attributes = {"split": one.split} if one.split else NONE
        yield Annotation(one.name, one.width, one.height, one.classes, found, attributes)


def _take(row: Row, images: dict[str, _Image], boxes: Gathering, exchange: Exchange) -> None:
    cells = {name: _cell(row, name) for name in COLUMNS}
    name, label = image_name(cells["filename"]), cells["class"].strip()
    edges = [comma_number(cells[edge]) for edge in _EDGES if cells[edge].strip()]
    if len(edges) not in (0, 4) or (edges and not label):
        raise ItemError("bad_row", "a box has a class and four edges")
    one = images.setdefault(
        name, _Image(len(images), name, size(cells["width"]), size(cells["height"]), cells["split"])
    )
    if edges:
        left, top, right, bottom = edges
        number = exchange.classes.number(class_name(label))
        boxes.add(one.number, number, (left, top, right - left, bottom - top))
    elif label and label not in one.classes:
        exchange.classes.number(class_name(label))
        one.classes += (label,)


def _cell(row: Row, name: str) -> str:
    """The cell of a column under any of its names; empty where there is none."""
    found = next((row[other] for other in (name, *_ALSO.get(name, ())) if other in row), "")
    return unguarded(found)


def write(annotations: Iterable[Annotation], target: Path, exchange: Exchange) -> None:
    """See Write."""
    with target.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(COLUMNS)
        for one in annotations:
            width, height = exchange.size_of(one) or ("", "")
            start = [guarded(one.image), width, height]
            split = guarded(str(one.attributes.get("split", "")))
            lose_others(one.attributes, {"split"}, one.image, exchange)
            rows.writerows([*start, guarded(name), "", "", "", "", split] for name in one.classes)
            for box in one.boxes:
                lose_outline(box, one.image, exchange)
                lose_others(box.attributes, set(), one.image, exchange)
                rows.writerow([*start, guarded(box.label), box.left, box.top, box.right, box.bottom, split])
            if not one.boxes and not one.classes:
                rows.writerow([*start, "", "", "", "", "", split])


def _recognise(sight: Sight) -> bool:
    head = sight.heads.get(".csv", "").split("\n", 1)[0].lower()
    return (
        not sight.files
        and "imageid" not in head
        and any(name in head for name in ("xmin", "x1", "x_min", "class", "label"))
    )


CSV = Format("csv", "CSV with a row for each box", False, read, write, _recognise)
