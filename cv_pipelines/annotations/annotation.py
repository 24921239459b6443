"""What is known about one image: classes, boxes, outlines, attributes; the one form between all formats.

Coordinates are floats in pixels of the upright image: x to the right, y down, and (0, 0) is the outer corner of
the first pixel, so that a box over the whole image is 0, 0, width, height. Each format's module says how its own
convention becomes this one, and how precisely.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Value = str | int | float | bool
Attributes = Mapping[str, Value]
Point = tuple[float, float]
Ring = tuple[Point, ...]

NONE: Attributes = {}
"""No attributes: one value for all who have none, typed so that nobody adds to it."""
MOST = 1e7
"""Coordinates beyond this, in pixels, are no coordinates."""


class Box(NamedTuple):
    """One object: its class, where it is, and its outline where that is known.

    A named tuple, not a dataclass: there are millions, and it is made in a third of the time.

    Attributes:
        label: the class.
        left: of the box, in pixels; `top`, `width` and `height` likewise.
        outline: closed rings (the last point is not the first again) of at least three points; the object is
            what lies within an odd number of them, so that a hole is a ring, too. Empty: only the box is known.
        attributes: what the format says beyond that: `difficult`, `truncated`, `iscrowd`, `occluded`, `group` …
    """

    label: str
    left: float
    top: float
    width: float
    height: float
    outline: tuple[Ring, ...] = ()
    attributes: Attributes = NONE

    @property
    def right(self) -> float:
        """The right edge."""
        return self.left + self.width

    @property
    def bottom(self) -> float:
        """The lower edge."""
        return self.top + self.height

    @property
    def finite(self) -> bool:
        """Say whether every number is one that can be a coordinate."""
        return in_range(self.left, self.top, self.width, self.height) and all(map(_ring_in_range, self.outline))


@dataclass(frozen=True, slots=True)
class Annotation:
    """All labels of one image.

    Attributes:
        image: its name: a relative path with `/`, unique in its data set, never the bare number of a frame.
        width: in pixels; None where the format does not say. `height` likewise.
        classes: of the image as a whole.
        boxes: its objects, in the format's order.
        attributes: of the image; `split` is the part of the data set that the format puts it into.
        image_id: the format's own id of the image.
    """

    image: str
    width: int | None = None
    height: int | None = None
    classes: tuple[str, ...] = ()
    boxes: tuple[Box, ...] = ()
    attributes: Attributes = field(default_factory=lambda: NONE)
    image_id: str | int | None = None


def in_range(*numbers: float) -> bool:
    """Say whether numbers can be coordinates: finite, and within MOST."""
    for number in numbers:  # noqa: SIM110 - a million boxes pass here: no generator for each
        if not -MOST <= number <= MOST:  # true for NaN, too
            return False
    return True


def _ring_in_range(ring: Ring) -> bool:
    """The same for all points of a ring, in C: the sum is NaN where one number is."""
    flat = list(chain.from_iterable(ring))
    total = sum(flat)
    return total == total and (not flat or (min(flat) >= -MOST and max(flat) <= MOST))


def outlined(label: str, outline: tuple[Ring, ...], attributes: Attributes = NONE) -> Box:
    """The object with an outline, in the smallest box around it.

    Raises:
        ValueError: there is no ring, or one of fewer than three points.
    """
    if not outline or any(len(ring) < 3 for ring in outline):
        raise ValueError("an outline has rings of three points or more")
    left, top, right, bottom = bounds(outline)
    return Box(label, left, top, right - left, bottom - top, outline, attributes)


def bounds(outline: tuple[Ring, ...]) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of all rings."""
    across = [x for ring in outline for x, _ in ring]
    down = [y for ring in outline for _, y in ring]
    return min(across), min(down), max(across), max(down)


def rectangle(left: float, top: float, width: float, height: float, degrees: float = 0) -> Ring:
    """The corners of a rectangle, from the upper left one on, clockwise, turned clockwise around that one."""
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    corners = ((0.0, 0.0), (width, 0.0), (width, height), (0.0, height))
    return tuple((left + x * cos - y * sin, top + x * sin + y * cos) for x, y in corners)


def is_rectangle(ring: Ring) -> bool:
    """Say whether a ring is an upright rectangle: four corners, each side along one axis."""
    if len(ring) != 4:
        return False
    (a, b), (c, d), (e, f), (g, h) = ring
    return (a == g and c == e and b == d and f == h) or (a == c and e == g and b == h and d == f)


def has_hole(outline: tuple[Ring, ...]) -> bool:
    """Say whether a ring lies inside an odd number of the others."""
    return len(outline) > 1 and bool(_holes(outline).any())


def joined(outline: tuple[Ring, ...]) -> Ring:
    """All rings as one, for formats that have only one: out along a line of no width, and back.

    What lies within an odd number of rings stays the same, holes too.
    """
    first, *others = outline
    if not others:
        return first
    start = first[0]
    return (*first, *(point for ring in others for point in (start, *ring, ring[0])), start)


def area(outline: tuple[Ring, ...]) -> float:
    """Square pixels within an outline whose rings do not cross, holes subtracted."""
    areas = [abs(_shoelace(ring)) for ring in outline]
    if len(outline) < 2:
        return sum(areas)
    return sum(-one if hole else one for one, hole in zip(areas, _holes(outline).tolist(), strict=True))


def _shoelace(ring: Ring) -> float:
    return sum(x * v - u * y for (x, y), (u, v) in zip(ring, (*ring[1:], ring[0]), strict=True)) / 2


def _holes(outline: tuple[Ring, ...]) -> npt.NDArray[np.bool_]:
    """Which rings lie inside an odd number of the others, by the uppermost of their points, of those the leftmost.

    A ray from there to the right is counted across the sides of all other rings at once: masks have many rings.
    """
    starts = np.concatenate([np.asarray(ring, float) for ring in outline])
    ends = np.concatenate([np.roll(np.asarray(ring, float), -1, axis=0) for ring in outline])
    owners = np.repeat(np.arange(len(outline)), [len(ring) for ring in outline])
    found = np.zeros(len(outline), bool)
    slopes = np.divide(
        ends[:, 0] - starts[:, 0],
        ends[:, 1] - starts[:, 1],
        out=np.zeros(len(starts)),
        where=ends[:, 1] != starts[:, 1],
    )
    for number, ring in enumerate(outline):
        y, x = min((y, x) for x, y in ring)
        passed = ((starts[:, 1] > y) != (ends[:, 1] > y)) & (x < starts[:, 0] + (y - starts[:, 1]) * slopes)
        found[number] = np.count_nonzero(passed & (owners != number)) % 2
    return found
