"""What a COCO file holds, gathered item by item and given back by image."""

from array import array
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from cv_pipelines.annotations.annotation import MOST, NONE, Annotation, Attributes, bounds, in_range
from cv_pipelines.annotations.exchange import Exchange
from cv_pipelines.annotations.formats.gathering import Flat, Gathering
from cv_pipelines.annotations.formats.values import class_name, image_name, plain, shown, size
from cv_pipelines.annotations.masks import mask_of_runs, outline_of, runs_of_text
from cv_pipelines.annotations.report import ItemError

_OURS = frozenset(("id", "image_id", "category_id", "bbox", "segmentation", "area", "iscrowd"))
_EVERY = 1 << 15
_NAMELESS = 1 << 61
"""From here down, negative, are the ids of annotations that have none."""

Place = tuple[float, float, float, float]


class CocoItems:
    """Images, categories and annotations, as they come."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange, self._report = exchange, exchange.report
        self._boxes, self._ids = Gathering(), array("q")
        self._image_numbers: dict[Any, int] = {}
        self._class_numbers: dict[Any, int] = {}
        self._images: dict[int, tuple[str, int | None, int | None, Attributes]] = {}
        self._classes: dict[int, str] = {}

    def image(self, item: Any) -> None:
        """Take an image.

        Raises:
            ItemError: it has no id or name, or the id has been there.
        """
        number = _number_of(item, self._image_numbers)
        if number in self._images:
            raise ItemError("repeated_id", f"a second image with the id {shown(item['id'])}")
        extras = _plain_values(item.get("attributes"))
        name = image_name(item.get("file_name"))
        self._images[number] = (name, size(item.get("width")), size(item.get("height")), extras)

    def category(self, item: Any) -> None:
        """Take a category.

        Raises:
            ItemError: it has no id or name, or one of them has been there.
        """
        number = _number_of(item, self._class_numbers)
        name, parent = class_name(item.get("name")), item.get("supercategory")
        attributes = {"id": plain(item["id"]), "supercategory": plain(parent)}
        kept = {key: value for key, value in attributes.items() if value is not None and value != ""}
        if number in self._classes:
            raise ItemError("repeated_id", f"a second category with the id {shown(item['id'])}")
        self._classes[number] = name
        if not self._exchange.classes.declare(name, attributes=kept):
            raise ItemError("repeated_class", f"a second category with the name {shown(name)}")

    def annotation(self, place: int, item: Any) -> None:
        """Take an annotation; what is wrong with it goes into the report."""
        if not place % _EVERY:
            self._exchange.progress("annotations", place)
        try:
            self._take(place, item)
        except ItemError as error:
            self._report.problem(error.code, f"annotations[{place}]", error.message)
        except KeyError as error:
            self._report.problem("incomplete", f"annotations[{place}]", f"it has no {error}")
        except (TypeError, ValueError, AttributeError, OverflowError):
            self._report.problem(
                "bad_annotation", f"annotations[{place}]", f"{shown(item)} is no annotation of COCO"
            )

    def annotations(self) -> Iterator[Annotation]:
        """Give back the annotation of every image, in the order of the images; reports what belongs to none."""
        keep = np.ones(len(self._boxes), bool)
        self._without(keep, "repeated_id", "a second annotation with its id", _repeated(self._ids))
        images, labels = self._boxes.images, self._boxes.labels
        absent = np.isin(images, [n for n in self._image_numbers.values() if n not in self._images])
        self._without(keep, "missing_image", "its image is not among the images", absent)
        unknown = np.isin(labels, [n for n in self._class_numbers.values() if n not in self._classes])
        self._without(keep, "unknown_class", "its category is not among the categories", unknown)
        names = [self._classes.get(number, "") for number in self._class_numbers.values()]
        groups = self._boxes.by_image(len(self._image_numbers), names, keep)
        for number, (key, boxes) in enumerate(zip(self._image_numbers, groups, strict=True)):
            if number not in self._images:
                continue
            name, width, height, attributes = self._images[number]
            yield Annotation(name, width, height, (), boxes, attributes, key)

    def _take(self, place: int, item: Any) -> None:
        """One annotation; a million of them pass here, so the common case does little."""
        segmentation = item.get("segmentation")
        outline, outlined = _flat_rings(segmentation) if segmentation else ((), None)
        box = item.get("bbox") or (_box_around(outline) if outline else item["bbox"])
        left, top, width, height = box
        if not (
            -MOST <= left <= MOST and -MOST <= top <= MOST and -MOST <= width <= MOST and -MOST <= height <= MOST
        ):
            raise ItemError("bad_number", f"{shown(box)} is not a box")
        area, attributes = item.get("area"), NONE
        usual = width * height if outlined is None else outlined
        if item.get("iscrowd") or not _OURS.issuperset(item) or (area is not None and area != usual):
            attributes = _attributes(item, usual)
        own = item.get("id")
        if own is None:
            own = -_NAMELESS - place
        image, label = item["image_id"], item["category_id"]
        image = self._image_numbers.setdefault(image, len(self._image_numbers))
        label = self._class_numbers.setdefault(label, len(self._class_numbers))
        own = own if type(own) is int and abs(own) < 1 << 62 else hash(own)
        self._boxes.add(image, label, (left, top, width, height), attributes, outline)
        self._ids.append(own)

    def _without(self, keep: Any, code: str, message: str, bad: Any) -> None:
        """Leave out those of the annotations still kept that are bad, and report them."""
        for number in np.flatnonzero(keep & bad).tolist():
            self._report.problem(code, f"annotation {number + 1} of those that could be read", message)
        keep &= ~bad


def _number_of(item: Any, numbers: dict[Any, int]) -> int:
    """The number of an item by its id; a new id takes the next one."""
    key = item.get("id") if isinstance(item, dict) else None
    if not isinstance(key, int | str) or isinstance(key, bool):
        raise ItemError("bad_id", f"{shown(item)} has no id")
    return numbers.setdefault(key, len(numbers))


def _flat_rings(segmentation: Any) -> tuple[Sequence[Flat], float]:
    """The rings of a segmentation, each as a list x, y, x, y; and its area, that of all rings or of the mask."""
    if isinstance(segmentation, dict):
        return _mask_rings(segmentation)
    rings, area = [array("d", ring) for ring in segmentation], 0.0
    for ring in rings:
        flat = np.frombuffer(ring)
        if len(ring) < 6 or len(ring) % 2 or not np.abs(flat).max() <= MOST:
            raise ItemError("bad_outline", f"an outline of {len(ring)} numbers, or with one that is no coordinate")
        x, y = flat[0::2], flat[1::2]
        shoelace = x[:-1] @ y[1:] - x[1:] @ y[:-1] + x[-1] * y[0] - x[0] * y[-1]
        area += abs(float(shoelace)) / 2
    return rings, area


def _mask_rings(segmentation: dict[str, Any]) -> tuple[Sequence[Flat], float]:
    height, width = segmentation["size"]
    counts = segmentation["counts"]
    try:
        runs = runs_of_text(counts) if isinstance(counts, str) else counts
        mask = mask_of_runs(runs, width, height, by_column=True)
        outline = outline_of(mask)
    except ValueError as error:
        raise ItemError("bad_mask", str(error)) from error
    return [[part for point in ring for part in point] for ring in outline], float(sum(runs[1::2]))


def _box_around(outline: Sequence[Flat]) -> Place:
    left, top, right, bottom = bounds(tuple(tuple(zip(ring[0::2], ring[1::2], strict=True)) for ring in outline))
    return left, top, right - left, bottom - top


def _attributes(item: dict[str, Any], usual: float) -> Attributes:
    """What an annotation says beyond its place; an area only where it is not simply that of its outline or box."""
    found = _plain_values({key: value for key, value in item.items() if key not in _OURS})
    found = {**_plain_values(item.get("attributes")), **found}
    area = item.get("area")
    if isinstance(area, int | float) and in_range(area / MOST) and abs(area - usual) > 1e-6 * max(1.0, usual):
        found["area"] = area
    if item.get("iscrowd"):
        found["iscrowd"] = 1
    return found or NONE


def _plain_values(found: Any) -> dict[str, Any]:
    """The members of an object that attributes can be."""
    if not isinstance(found, dict):
        return {}
    return {key: value for key, value in found.items() if plain(value) is not None}


def _repeated(ids: "array[int]") -> Any:
    """Which ids have been there before, one value an id."""
    bad = np.ones(len(ids), bool)
    bad[np.unique(np.frombuffer(ids, np.int64), return_index=True)[1]] = False
    return bad
