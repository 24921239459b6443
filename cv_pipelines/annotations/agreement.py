"""How far annotators agree: kappa for classes of images, matched boxes for objects."""

from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from cv_pipelines.annotations.annotation import Box

Floats = npt.NDArray[np.float64]
Label = TypeVar("Label", bound=Hashable)


def cohens_kappa(first: Sequence[Hashable], second: Sequence[Hashable]) -> float:
    """Agreement of two annotators beyond chance: 1 is full, 0 what chance gives.

    Source: J. Cohen, A coefficient of agreement for nominal scales, 1960.

    Args:
        first: the class that one annotator gave each item.
        second: likewise, of the same items.

    Returns:
        Kappa; NaN without items, or where both give one and the same class to everything (chance explains it all).

    Raises:
        ValueError: not the same number of items.
    """
    if len(first) != len(second):
        raise ValueError(f"{len(first)} and {len(second)} items cannot be compared")
    return kappa_of_counts(Counter(zip(first, second, strict=True)))


def kappa_of_counts(counts: Mapping[tuple[Label, Label], int]) -> float:
    """Cohen's kappa where items are counted already: by the classes that one annotator and the other gave."""
    total = sum(counts.values())
    if not total:
        return float("nan")
    firsts, seconds = Counter[Label](), Counter[Label]()
    for (first, second), count in counts.items():
        firsts[first] += count
        seconds[second] += count
    observed = sum(count for (first, second), count in counts.items() if first == second) / total
    expected = sum(count * seconds[label] for label, count in firsts.items())
    if expected == total * total:
        return float("nan")
    return _kappa_of_agreement(observed, expected / total**2)


def fleiss_kappa(counts: npt.ArrayLike) -> float:
    """Agreement of several annotators, not always the same ones, beyond chance.

    Source: J. L. Fleiss, Measuring nominal scale agreement among many raters, 1971.

    Args:
        counts: items, classes: how many annotators gave the item the class; equally many each, at least 2.

    Returns:
        Kappa; NaN without items, or where all give one class to everything.

    Raises:
        ValueError: items have different numbers of annotators, or fewer than two.
    """
    return _kappa_of_agreement(*_fleiss(counts))


def fleiss_kappa_by_class(counts: npt.ArrayLike) -> Floats:
    """Fleiss' kappa of each class against all others, shape (classes,); see `fleiss_kappa`."""
    table, raters = _table(counts)
    share = table.sum(axis=0) / max(1, len(table) * raters)
    disagreement = (table * (raters - table)).sum(axis=0) / max(1, len(table) * raters * (raters - 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(share * (1 - share) > 0, 1 - disagreement / (share * (1 - share)), np.nan)


class Raters:
    """Fleiss' kappa of items with different numbers of annotators each, item by item: only sums are held.

    An item's agreement is the share of the pairs of its own annotators that agree, and how frequent a class is
    comes from all annotations, as in K. L. Gwet, Handbook of Inter-Rater Reliability, 2014, chapter 2. Where all
    items have equally many annotators these are `fleiss_kappa` and `fleiss_kappa_by_class`.
    """

    def __init__(self) -> None:
        """Nothing was looked at."""
        self._items = self._ratings = 0
        self._agreeing = 0.0
        self._given: Counter[Hashable] = Counter()
        self._members: Counter[str] = Counter()
        self._apart: defaultdict[str, float] = defaultdict(float)

    def add(self, said: Sequence[tuple[str, ...]]) -> None:
        """Add an item: the classes that each of its annotators gave it, in order; one annotator says nothing.

        What is compared as a whole are all classes of an item; by class, whether it has that class.
        """
        self._count(said, 1)

    def remove(self, said: Sequence[tuple[str, ...]]) -> None:
        """Let an item that was added so be as if it never was."""
        self._count(said, -1)

    def _count(self, said: Sequence[tuple[str, ...]], sign: int) -> None:
        raters = len(said)
        if raters < 2:
            return
        pairs = raters * (raters - 1)
        counts = Counter(said)
        self._items += sign
        self._ratings += sign * raters
        self._agreeing += sign * sum(count * (count - 1) for count in counts.values()) / pairs
        count_up(self._given, counts, sign)
        members = Counter(label for one in said for label in set(one))
        count_up(self._members, members, sign)
        for label, count in members.items():
            self._apart[label] += sign * count * (raters - count) / pairs

    @property
    def items(self) -> int:
        """How many items have been added."""
        return self._items

    def kappa(self) -> float:
        """Of all classes; NaN without items, or where all give one class to everything."""
        if not self._items or len(self._given) < 2:
            return float("nan")
        chance = sum((count / self._ratings) ** 2 for count in self._given.values())
        return _kappa_of_agreement(self._agreeing / self._items, chance)

    def kappa_by_class(self) -> dict[str, float]:
        """Of each class that anybody gave, against all others; NaN where everybody gave it to everything."""
        found = {}
        for label, count in sorted(self._members.items()):
            share = count / self._ratings
            spread = share * (1 - share)
            found[label] = 1 - self._apart[label] / self._items / spread if spread else float("nan")
        return found


def count_up(counter: Counter[Any], counts: Mapping[Any, int], sign: int = 1) -> None:
    """Add counts to others, or take them away; what comes to nothing is gone."""
    for label, count in counts.items():
        counter[label] += sign * count
        if not counter[label]:
            del counter[label]


def _fleiss(counts: npt.ArrayLike) -> tuple[float, float]:
    table, raters = _table(counts)
    if not len(table):
        return float("nan"), float("nan")
    pairs = (table * (table - 1)).sum(axis=1) / (raters * (raters - 1))
    share = table.sum(axis=0) / (len(table) * raters)
    return float(pairs.mean()), float(share @ share)


def _kappa_of_agreement(observed: float, chance: float) -> float:
    return (observed - chance) / (1 - chance) if chance < 1 else float("nan")


def _table(counts: npt.ArrayLike) -> tuple[Floats, float]:
    table = np.asarray(counts, float)
    if table.ndim != 2 or (len(table) and (np.ptp(table.sum(axis=1)) or table[0].sum() < 2)):
        raise ValueError("each item needs the same number of annotators, at least two")
    return table, float(table[0].sum()) if len(table) else 2.0


@dataclass(frozen=True)
class Matches:
    """What two annotators marked in common.

    Attributes:
        both: matched boxes of equal class, by class.
        only_first: boxes of the first one that have no such partner, by class.
        only_second: likewise of the second one.
        overlap: the sum of the IoU of matched boxes of equal class, by class.
    """

    both: Mapping[str, int]
    only_first: Mapping[str, int]
    only_second: Mapping[str, int]
    overlap: Mapping[str, float]

    def f1(self, label: str | None = None) -> float:
        """Twice the common boxes by all boxes (of a class): 1 is full agreement, NaN where there are none."""
        both, first, second = (
            sum(counts.values()) if label is None else counts.get(label, 0)
            for counts in (self.both, self.only_first, self.only_second)
        )
        total = 2 * both + first + second
        return 2 * both / total if total else float("nan")

    def mean_overlap(self, label: str | None = None) -> float:
        """Mean IoU of the boxes in common; NaN where there are none."""
        both = sum(self.both.values()) if label is None else self.both.get(label, 0)
        overlap = sum(self.overlap.values()) if label is None else self.overlap.get(label, 0.0)
        return overlap / both if both else float("nan")


def match_boxes(
    first: Mapping[str, Sequence[Box]], second: Mapping[str, Sequence[Box]], least_overlap: float = 0.5
) -> Matches:
    """Match what two annotators marked, image by image, so that the sum of overlaps is largest.

    Args:
        first: boxes of one annotator, by image.
        second: of the other one; only images that both have are compared.
        least_overlap: IoU from which on two boxes of one class are the same object.
    """
    both, overlap = defaultdict[str, int](int), defaultdict[str, float](float)
    only_first, only_second = defaultdict[str, int](int), defaultdict[str, int](int)
    for image in sorted(first.keys() & second.keys()):  # in one order: floats are summed
        ones, others = first[image], second[image]
        pairs = _pairs(ones, others, least_overlap)
        for one, _, iou in pairs:
            both[ones[one].label] += 1
            overlap[ones[one].label] += iou
        taken, given = {one for one, _, _ in pairs}, {other for _, other, _ in pairs}
        for place, box in enumerate(ones):
            if place not in taken:
                only_first[box.label] += 1
        for place, box in enumerate(others):
            if place not in given:
                only_second[box.label] += 1
    return Matches(dict(both), dict(only_first), dict(only_second), dict(overlap))


def box_agreement(
    annotators: Mapping[str, Mapping[str, Sequence[Box]]], least_overlap: float = 0.5
) -> dict[tuple[str, str], Matches]:
    """Match every two annotators.

    Args:
        annotators: boxes by annotator and image.
        least_overlap: as in `match_boxes`.
    """
    return {
        (one, other): match_boxes(annotators[one], annotators[other], least_overlap)
        for one, other in combinations(sorted(annotators), 2)
    }


def by_annotator(pairs: Mapping[tuple[str, str], Matches]) -> dict[str, float]:
    """The mean F1 of each annotator with the others; NaN where none of them shares a box's image."""
    found = defaultdict[str, list[float]](list)
    for (one, other), matches in pairs.items():
        found[one].append(matches.f1())
        found[other].append(matches.f1())
    return {
        name: float(np.nanmean(values)) if not np.isnan(values).all() else np.nan for name, values in found.items()
    }


def iou_of(first: Floats, second: Floats) -> Floats:
    """Intersection over union, shape (n, m), of boxes (n, 4) and (m, 4): left, top, right, bottom."""
    corner = np.maximum(first[:, None, :2], second[None, :, :2])
    other = np.minimum(first[:, None, 2:], second[None, :, 2:])
    common = np.clip(other - corner, 0, None).prod(axis=2)
    areas = [(boxes[:, 2:] - boxes[:, :2]).clip(0).prod(axis=1) for boxes in (first, second)]
    union = areas[0][:, None] + areas[1][None] - common
    found: Floats = np.divide(common, union, out=np.zeros_like(common), where=union > 0)
    return found


def _pairs(ones: Sequence[Box], others: Sequence[Box], least: float) -> list[tuple[int, int, float]]:
    """Places of matched boxes and their IoU."""
    from scipy.optimize import linear_sum_assignment

    if not ones or not others:
        return []
    overlaps = iou_of(_edges(ones), _edges(others))
    same = np.array([[one.label == other.label for other in others] for one in ones])
    overlaps = np.where(same & (overlaps >= least), overlaps, 0.0)
    rows, columns = linear_sum_assignment(overlaps, maximize=True)
    found = zip(rows.tolist(), columns.tolist(), overlaps[rows, columns].tolist(), strict=True)
    return [(row, column, iou) for row, column, iou in found if iou > 0]


def _edges(boxes: Sequence[Box]) -> Floats:
    return np.array([(box.left, box.top, box.right, box.bottom) for box in boxes], float)
