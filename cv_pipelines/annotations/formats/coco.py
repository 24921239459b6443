"""COCO instances: one JSON file with `images`, `categories` and `annotations`.

A box is `[left, top, width, height]` in pixels from the outer corner, floats: our own convention, exact both ways.
A segmentation is a list of polygons `[x, y, x, y, …]` all of which are the object, or a mask as runs down the
columns (compressed or not), which is read as its exact outline. Attributes beyond the format are kept as CVAT
writes them, in an object `attributes` of each annotation.

Not held: classes of images, holes of outlines. Source: https://cocodataset.org/#format-data
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cv_pipelines.annotations.annotation import Annotation
from cv_pipelines.annotations.exchange import Exchange
from cv_pipelines.annotations.formats.coco_items import CocoItems
from cv_pipelines.annotations.formats.coco_writing import write
from cv_pipelines.annotations.formats.format import Format, Sight
from cv_pipelines.annotations.formats.json_stream import walk
from cv_pipelines.errors import InputError

_LISTS = ("images", "categories", "annotations")


def read(source: Path, exchange: Exchange) -> Iterator[Annotation]:
    """See Read. The lists may come in any order, and annotations in any order within theirs."""
    items = CocoItems(exchange)
    found = set()
    for key, place, value in walk(source):
        if place < 0:
            found.add(key)
            _require_list(source, key, value)
        elif key == "annotations":
            items.annotation(place, value)
        elif key in _LISTS:
            _take_other(items, key, place, value, exchange)
    for key in _LISTS:
        if key not in found:
            raise InputError("wrong_format", f"'{source}' has no list '{key}': it is not COCO.")
    yield from items.annotations()


def _require_list(source: Path, key: str, value: Any) -> None:
    if key == "":
        raise InputError(
            "wrong_format",
            f"'{source}' is a list; COCO labels are an object with {', '.join(_LISTS)}. "
            "A list with scores holds results of a detector, which are no labels.",
        )
    if key in _LISTS and value is not None:
        raise InputError("wrong_format", f"'{source}': '{key}' is not a list, as it is in COCO.")


def _take_other(items: CocoItems, key: str, place: int, value: Any, exchange: Exchange) -> None:
    with exchange.report.item(f"{key}[{place}]"):
        if key == "images":
            items.image(value)
        else:
            items.category(value)


def _recognise(sight: Sight) -> bool:
    head = sight.heads.get(".json", "")
    return (
        not sight.files
        and head.lstrip("\ufeff \r\n\t").startswith("{")
        and (any(f'"{key}"' in head for key in _LISTS) and '"shapes"' not in head)
    )


COCO = Format("coco", "COCO instances (JSON)", False, read, write, _recognise, lists_all=True)
