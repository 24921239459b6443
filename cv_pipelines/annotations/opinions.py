"""What several people say of one image, and whether they agree: pure functions."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import combinations

from cv_pipelines.annotations.agreement import Matches, match_boxes
from cv_pipelines.annotations.annotation import Annotation

SAME_OBJECT = 0.5
"""IoU from which on two boxes of one class are the same object."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One event, as far as opinions go.

    Attributes:
        who: the person.
        annotation: what they said; None: they took the label away.
        adjudicates: it settles what was said before.
    """

    who: str
    annotation: Annotation | None
    adjudicates: bool = False


@dataclass(frozen=True)
class Opinions:
    """What people say of one image.

    Attributes:
        image: its id.
        version: the newest event of it.
        said: the newest label of each person, by themselves: this is what agreement is measured on, for a
            disagreement that somebody has settled was one.
        open: what counts now: the newest adjudication, if there is one, and what people have said since.
    """

    image: str
    version: int = 0
    said: Mapping[str, Annotation] = field(default_factory=dict)
    open: Mapping[str, Annotation] = field(default_factory=dict)

    @property
    def several(self) -> bool:
        """Say whether two or more people have looked at the image."""
        return len(self.said.keys() | self.open.keys()) > 1

    @property
    def in_dispute(self) -> bool:
        """Say whether two people hold different labels right, and nobody has settled it since."""
        return not all(agree(one, other) for one, other in combinations(self.open.values(), 2))


def opinions_of(image: str, version: int, statements: Iterable[Statement]) -> Opinions:
    """What people say in the end.

    Args:
        image: its id.
        version: its newest event.
        statements: of people, oldest first.
    """
    said, still = dict[str, Annotation](), dict[str, Annotation]()
    for one in statements:
        if one.adjudicates:
            still.clear()
        for held in (still,) if one.adjudicates else (said, still):
            if one.annotation is None:
                held.pop(one.who, None)
            else:
                held[one.who] = one.annotation
    return Opinions(image, version, said, still)


def agree(one: Annotation, other: Annotation, found: Matches | None = None) -> bool:
    """Say whether two labels say the same: equal classes, and each box has a partner of its class in the other.

    Args:
        one: a label.
        other: of the same image.
        found: what `matched` says of them, where it was asked already.
    """
    if set(one.classes) != set(other.classes) or len(one.boxes) != len(other.boxes):
        return False
    if all(box[:5] == twin[:5] for box, twin in zip(one.boxes, other.boxes, strict=True)):
        return True  # also where boxes have no area, and so no overlap
    found = found or matched(one, other)
    return not found.only_first and not found.only_second


def matched(one: Annotation, other: Annotation) -> Matches:
    """The boxes that two labels have in common."""
    return match_boxes({"": one.boxes}, {"": other.boxes}, SAME_OBJECT)


def in_short(said: Annotation) -> str:
    """Classes, and numbers of boxes by class."""
    counts = Counter(box.label for box in said.boxes)
    return ", ".join([*said.classes, *(f"{count} × {name}" for name, count in counts.items())]) or "nothing in it"
