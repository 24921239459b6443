"""How far the people who label a data set agree: figures and disputes, image by image; only sums are held."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

from cv_pipelines.annotations.agreement import Matches, Raters, by_annotator, count_up, kappa_of_counts
from cv_pipelines.annotations.opinions import Opinions, agree, matched

KEPT = 1000
"""So many disputes are kept; all are counted."""

_Pair = tuple[str, str]


@dataclass
class _Tally:
    """What two people have in common."""

    images: int = 0
    equal: int = 0
    classes: Counter[tuple[tuple[str, ...], tuple[str, ...]]] = field(default_factory=Counter)
    both: Counter[str] = field(default_factory=Counter)
    only_first: Counter[str] = field(default_factory=Counter)
    only_second: Counter[str] = field(default_factory=Counter)
    overlap: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))

    def add(self, found: Matches, sign: int = 1) -> None:
        count_up(self.both, found.both, sign)
        count_up(self.only_first, found.only_first, sign)
        count_up(self.only_second, found.only_second, sign)
        for label, overlap in found.overlap.items():
            self.overlap[label] += sign * overlap

    @property
    def matches(self) -> Matches:
        return Matches(self.both, self.only_first, self.only_second, self.overlap)


class Consensus:
    """What people have said of the images that two or more of them have labelled.

    Attributes:
        images: how many those are.
        disputed: of how many they disagree, and nobody has settled it.
        disputes: the first KEPT of those.
    """

    def __init__(self) -> None:
        """Nobody has said anything."""
        self.images = self.disputed = 0
        self.disputes: list[Opinions] = []
        self._raters = Raters()
        self._pairs: defaultdict[_Pair, _Tally] = defaultdict(_Tally)
        self._labelled: Counter[str] = Counter()
        self._equal: Counter[str] = Counter()

    def add(self, one: Opinions) -> bool:
        """Take an image in; one that fewer than two people have labelled says nothing.

        Returns:
            Whether it is in dispute.
        """
        disputed = self._count(one, 1)
        if disputed and len(self.disputes) < KEPT:
            self.disputes.append(one)
        return disputed

    def remove(self, one: Opinions) -> None:
        """Let an image that was taken in with these opinions be as if it never was."""
        if self._count(one, -1):
            self.disputes = [other for other in self.disputes if other.image != one.image]

    def _count(self, one: Opinions, sign: int) -> bool:
        if not one.several:
            return False
        self.images += sign
        people = sorted(one.said)
        classes = {who: tuple(sorted(set(one.said[who].classes))) for who in people}
        if any(classes.values()):
            (self._raters.add if sign > 0 else self._raters.remove)(list(classes.values()))
        same = [self._compare(one, pair, classes, sign) for pair in combinations(people, 2)]
        disputed = not all(same) if one.open == one.said else one.in_dispute
        self.disputed += sign * disputed
        return disputed

    def _compare(self, one: Opinions, pair: _Pair, classes: dict[str, tuple[str, ...]], sign: int) -> bool:
        tally, (first, second) = self._pairs[pair], pair
        ours, theirs = one.said[first], one.said[second]
        found = matched(ours, theirs) if ours.boxes or theirs.boxes else None
        same = agree(ours, theirs, found)
        tally.images += sign
        tally.equal += sign * same
        if classes[first] or classes[second]:
            count_up(tally.classes, {(classes[first], classes[second]): 1}, sign)
        if found is not None:
            tally.add(found, sign)
        count_up(self._labelled, dict.fromkeys(pair, 1), sign)
        count_up(self._equal, dict.fromkeys(pair, int(same)), sign)
        if not tally.images:
            del self._pairs[pair]
        return same

    @property
    def share(self) -> float:
        """The part of the images of two or more people that is in dispute; 0 where there are none."""
        return self.disputed / self.images if self.images else 0.0

    def pairs(self) -> list[dict[str, Any]]:
        """Each two people who have labelled an image in common; None: there is nothing to tell a figure from."""
        return [
            {
                "first": first,
                "second": second,
                "images": tally.images,
                "agree_on": tally.equal,
                "kappa": _known(kappa_of_counts(tally.classes)),
                "boxes_f1": _known(tally.matches.f1()),
                "mean_iou": _known(tally.matches.mean_overlap()),
            }
            for (first, second), tally in sorted(self._pairs.items())
        ]

    def annotators(self) -> list[dict[str, Any]]:
        """Each person: the share of comparisons with others in which both said the same, and the mean F1."""
        boxes = by_annotator({pair: tally.matches for pair, tally in self._pairs.items()})
        return [
            {"who": who, "compared": count, "agreement": self._equal[who] / count, "boxes_f1": _known(boxes[who])}
            for who, count in sorted(self._labelled.items())
        ]

    def classes(self) -> list[dict[str, Any]]:
        """Each class: Fleiss' kappa of images as a whole, and the boxes that all pairs have matched."""
        total = _Tally()
        for tally in self._pairs.values():
            total.add(tally.matches)
        kappas, found = self._raters.kappa_by_class(), total.matches
        labels = kappas.keys() | found.both.keys() | found.only_first.keys() | found.only_second.keys()
        return [
            {
                "class": label,
                "kappa": _known(kappas.get(label, math.nan)),
                "boxes_f1": _known(found.f1(label)),
                "mean_iou": _known(found.mean_overlap(label)),
            }
            for label in sorted(labels)
        ]

    def kappa(self) -> float | None:
        """Fleiss' kappa of all classes of images as a whole."""
        return _known(self._raters.kappa())


def consensus_of(opinions: Iterable[Opinions]) -> Consensus:
    """Take all images in."""
    made = Consensus()
    for one in opinions:
        made.add(one)
    return made


def _known(figure: float) -> float | None:
    return None if math.isnan(figure) else float(figure)
