"""The regions of Label Studio's results as objects."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cv_pipelines.annotations.annotation import Box, outlined, rectangle
from cv_pipelines.annotations.formats.values import class_name, number, size
from cv_pipelines.annotations.masks import mask_of_brush, outline_of
from cv_pipelines.annotations.report import ItemError, Report

_KINDS = {"rectanglelabels": "rectangle", "polygonlabels": "polygon", "brushlabels": "brush"}


@dataclass(frozen=True, slots=True)
class Region:
    """One result, and where it stands."""

    said: Any
    where: str

    @property
    def kind(self) -> str:
        """Its type; empty where it has none."""
        return str(self.said.get("type", "")) if isinstance(self.said, dict) else ""

    @property
    def value(self) -> dict[str, Any]:
        """What it says.

        Raises:
            ItemError: nothing.
        """
        value = self.said.get("value") if isinstance(self.said, dict) else None
        if not isinstance(value, dict):
            raise ItemError("bad_region", "a result without an object 'value'")
        return value

    @property
    def size(self) -> tuple[int, int] | None:
        """Width and height of its image."""
        if not isinstance(self.said, dict):
            return None
        width, height = size(self.said.get("original_width")), size(self.said.get("original_height"))
        return (width, height) if width and height else None


def size_of_regions(regions: Sequence[Region]) -> tuple[int, int] | None:
    """Width and height of the image, of the first region that says them."""
    return next((found for region in regions if (found := region.size)), None)


def choices_of(region: Region) -> list[str]:
    """The classes of the whole image that a result gives."""
    if region.kind != "choices":
        return []
    choices = region.value.get("choices")
    if not isinstance(choices, list):
        raise ItemError("bad_region", "choices without a list 'choices'")
    return [class_name(choice) for choice in choices]


def region_of(region: Region, report: Report) -> Box | None:
    """The object of a result; None where it is none, with a note where it is of a kind that is not read.

    Raises:
        ItemError: it lacks something, or a number is none.
    """
    kind = _KINDS.get(region.kind)
    if kind is None:
        if not region.kind:
            raise ItemError("bad_region", "a result without a type")
        if region.kind != "choices":
            report.loss(f"results '{region.kind[:20]}' are not read", region.where)
        return None
    value, found = region.value, region.size
    labels = value.get(region.kind)
    if not isinstance(labels, list) or not labels:
        raise ItemError("bad_class", "a region without a class")
    if len(labels) > 1:
        report.loss("further classes of one region: the first is read", region.where)
    if found is None:
        raise ItemError("no_size", "a region without 'original_width' and 'original_height'")
    label = class_name(labels[0])
    if kind == "rectangle":
        return _rectangle(value, label, *found)
    if kind == "polygon":
        return _polygon(value, label, *found)
    return _brush(value, label, *found)


def _rectangle(value: dict[str, Any], label: str, width: int, height: int) -> Box:
    across, down = width / 100, height / 100
    left, top = number(value.get("x")) * across, number(value.get("y")) * down
    wide, high = number(value.get("width")) * across, number(value.get("height")) * down
    turned = number(value.get("rotation") or 0)
    if not turned % 360:
        return Box(label, left, top, wide, high)
    return outlined(label, (rectangle(left, top, wide, high, turned),))


def _polygon(value: dict[str, Any], label: str, width: int, height: int) -> Box:
    points = value.get("points")
    if (
        not isinstance(points, list)
        or len(points) < 3
        or not all(isinstance(p, list) and len(p) == 2 for p in points)
    ):
        raise ItemError("bad_outline", "a polygon without three points of two numbers")
    ring = tuple((number(x) * width / 100, number(y) * height / 100) for x, y in points)
    return outlined(label, (ring,))


def _brush(value: dict[str, Any], label: str, width: int, height: int) -> Box:
    if value.get("format") != "rle" or not isinstance(value.get("rle"), list):
        raise ItemError("bad_mask", "a brush without a list 'rle'")
    try:
        return outlined(label, outline_of(mask_of_brush(value["rle"], width, height)))
    except ValueError as error:
        raise ItemError("bad_mask", str(error)) from error
