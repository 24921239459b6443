"""What is wrong with labels, found image by image: pure functions over annotations."""

from collections import Counter
from collections.abc import Collection, Container, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from cv_pipelines.annotations.annotation import Annotation, Box, Ring

KEPT = 1000
"""So many findings are kept word for word; all are counted."""
BLOCKING = frozenset({"no_area", "outside", "duplicate", "unknown_class", "missing_image"})
"""Checks after which training would be wrong."""
SAME, ALIKE = 0.99, 0.8
"""IoU from which on two boxes of one class are one box twice, and from which on a person should look."""
_MOST_POINTS = 4096
_ROWS = 256


@dataclass(frozen=True)
class Rules:
    """What labels are held against.

    Attributes:
        classes: those that there are; None: any.
        images: those that there are, by name; None: any.
        least: objects, or images, that each class needs.
        tolerance: pixels that a box may stick out of its image, for formats of whole pixels.
    """

    classes: Collection[str] | None = None
    images: Container[str] | None = None
    least: int = 10
    tolerance: float = 1.0


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong with one image (or, with an empty name, with a class)."""

    code: str
    image: str
    message: str

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


@dataclass
class Findings:
    """What was found: all counted, the first ones kept; `wrong` are those that block training."""

    first: list[Finding] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    wrong: frozenset[str] = BLOCKING

    @property
    def blocking(self) -> bool:
        """Say whether training would be wrong."""
        return any(code in self.wrong for code in self.counts)

    def add(self, finding: Finding) -> None:
        """Count one, and keep it if it is among the first."""
        self.counts[finding.code] += 1
        if len(self.first) < KEPT:
            self.first.append(finding)


def check_annotations(annotations: Iterable[Annotation], rules: Rules) -> Findings:
    """Check every annotation, then the classes."""
    findings, counts = Findings(), Counter[str](dict.fromkeys(rules.classes or (), 0))
    for one in annotations:
        counts.update([*one.classes, *(box.label for box in one.boxes)])
        for finding in check_one(one, rules):
            findings.add(finding)
    for name, count in counts.items():
        if count < rules.least:
            message = f"the class '{name}' has {count} labels; at least {rules.least} are wanted"
            findings.add(Finding("too_few", "", message))
    return findings


def check_one(one: Annotation, rules: Rules) -> Iterator[Finding]:
    """Check the annotation of one image."""
    if rules.images is not None and one.image not in rules.images:
        yield Finding("missing_image", one.image, "the image is missing")
    for name in unknown_classes(one, rules.classes):
        yield Finding("unknown_class", one.image, f"the class '{name}' is not in the label set")
    for box in one.boxes:
        if not (box.width > 0 and box.height > 0):
            yield Finding("no_area", one.image, f"{_named(box)} has no area")
        elif sticks_out(box, one, rules.tolerance):
            yield Finding("outside", one.image, f"{_named(box)} is outside of {one.width} x {one.height}")
        if any(crosses_itself(ring) for ring in box.outline):
            yield Finding("self_crossing", one.image, f"the outline of {_named(box)} crosses itself")
    for first, second, overlap in duplicates(one.boxes):
        code = "duplicate" if overlap >= SAME else "near_duplicate"
        said = "is there twice:" if overlap >= SAME else "may be the same as"
        message = f"{_named(one.boxes[first])} {said} {_named(one.boxes[second])} (IoU {overlap:.2f})"
        yield Finding(code, one.image, message)


def unknown_classes(one: Annotation, classes: Collection[str] | None) -> list[str]:
    """Classes that the label set does not have, each once."""
    if classes is None:
        return []
    return list(
        dict.fromkeys(name for name in (*one.classes, *(b.label for b in one.boxes)) if name not in classes)
    )


def sticks_out(box: Box, one: Annotation, tolerance: float = 0) -> bool:
    """Say whether a box goes beyond its image by more than a tolerance; never where the size is not known."""
    if not one.width or not one.height:
        return False
    low = box.left < -tolerance or box.top < -tolerance
    return low or box.right > one.width + tolerance or box.bottom > one.height + tolerance


def duplicates(boxes: tuple[Box, ...], least: float = ALIKE) -> list[tuple[int, int, float]]:
    """Pairs of one class that overlap by an IoU of `least` or more, and it; a box is second at most once."""
    order = sorted(range(len(boxes)), key=lambda place: boxes[place].left)
    found, seconds = [], set[int]()
    for rank, first in enumerate(order):
        for second in order[rank + 1 :]:
            if boxes[second].left - boxes[first].left > (1 - least) * boxes[first].width:
                break  # what they share is too narrow, and only gets narrower
            overlap = iou(boxes[first], boxes[second]) if second not in seconds else 0
            if overlap >= least and boxes[first].label == boxes[second].label:
                seconds.add(second)
                found.append((min(first, second), max(first, second), overlap))
    return found


def iou(one: Box, other: Box) -> float:
    """Intersection over union of two boxes; 1 for the same box, also where it has no area."""
    if one[1:5] == other[1:5]:
        return 1.0
    width = min(one.right, other.right) - max(one.left, other.left)
    height = min(one.bottom, other.bottom) - max(one.top, other.top)
    if width <= 0 or height <= 0:
        return 0.0
    common = width * height
    return common / (one.width * one.height + other.width * other.height - common)


def crosses_itself(ring: Ring) -> bool:
    """Say whether two sides of a ring cross, other than by touching.

    They do where the ends of each lie on different sides of the other. Rings of more than 4,096 points, which
    nobody has drawn by hand, are not looked at.
    """
    count = len(ring)
    if count < 4 or count > _MOST_POINTS:
        return False
    start = np.asarray(ring, float)
    end = np.roll(start, -1, axis=0)
    for first in range(0, count, _ROWS):
        a, b = start[first : first + _ROWS, None], end[first : first + _ROWS, None]
        apart = _side(a, b, start[None]) * _side(a, b, end[None]) < 0
        across = _side(start[None], end[None], a) * _side(start[None], end[None], b) < 0
        if bool((apart & across).any()):
            return True
    return False


def _side(a: Any, b: Any, point: Any) -> Any:
    """On which side of the line from a to b points lie: the sign of the cross product."""
    along, to = b - a, point - a
    return along[..., 0] * to[..., 1] - along[..., 1] * to[..., 0]


def _named(box: Box) -> str:
    return f"'{box.label}' at {box.left:.6g}, {box.top:.6g}, {box.width:.6g} x {box.height:.6g}"
