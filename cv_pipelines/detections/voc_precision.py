"""Average precision as Pascal VOC computes it.

Detections of a class are taken from the surest on. One is right where the object of its image that it overlaps
most does so by an IoU of at least 0.5, and has not been found before; where that object is difficult (or a crowd),
it does not count; else it is wrong. Recall is the share of the objects, those aside, that have been found.
Source: M. Everingham et al., The Pascal Visual Object Classes (VOC) Challenge, 2010, sections 4.2 and 4.4; the
development kits of 2007 (11 points) and 2012 (all points), VOCevaldet.m.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from cv_pipelines.detections.boxes import Found, Objects

LEAST = 0.5
_PAIRS = 1 << 20
"""Of detection and object, looked at together."""

Floats = NDArray[np.float64]


def average_precisions(objects: Objects, found: Found) -> tuple[float, float]:
    """Average precision of a class with 11 points and with all; not numbers where no object has to be found."""
    if not _wanted(objects).any():
        return float("nan"), float("nan")
    recall, precision = curve(objects, found)
    return eleven_points(recall, precision), all_points(recall, precision)


def curve(objects: Objects, found: Found, least: float = LEAST) -> tuple[Floats, Floats]:
    """Recall and precision of a class after each of its detections that count, the surest first: (n,), (n,).

    Args:
        objects: one of them has to be found at least.
        found: in any order.
        least: IoU of what is right.
    """
    hits = _hits(objects, found, least)
    right = np.cumsum(hits, dtype=np.int64)
    return right / np.count_nonzero(_wanted(objects)), right / np.arange(1, len(right) + 1)


def eleven_points(recall: Floats, precision: Floats) -> float:
    """The mean of the best precision at a recall of at least 0, 0.1, … 1 (VOC 2007)."""
    # 3 of 10 objects are a recall of 0.3, whatever the last digit of 3 x 0.1
    reached = np.searchsorted(recall, np.linspace(0, 1, 11) - 1e-12)
    return float(np.mean(np.append(_best(precision), 0)[reached]))


def all_points(recall: Floats, precision: Floats) -> float:
    """The area below the curve, precision being the best one at that recall or a larger one (from VOC 2010 on)."""
    return float(np.sum(np.diff(recall, prepend=0) * _best(precision)))


def _best(precision: Floats) -> Floats:
    """The best precision at each recall or a larger one."""
    return np.maximum.accumulate(precision[::-1])[::-1]


def _wanted(objects: Objects) -> NDArray[np.bool_]:
    return np.logical_not(objects.difficult | objects.crowd)


def _hits(objects: Objects, found: Found, least: float) -> NDArray[np.int8]:
    """1 for right, 0 for wrong, of the detections that count, the surest first."""
    ranked = found.take(np.argsort(-found.scores, kind="stable"))
    overlaps, nearest = best_overlaps(objects, ranked)
    over = np.flatnonzero(overlaps >= least)
    wanted = _wanted(objects)[nearest[over]]
    hits, counts = np.zeros(len(overlaps), np.int8), np.ones(len(overlaps), bool)
    _, firsts = np.unique(nearest[over[wanted]], return_index=True)
    hits[over[wanted][firsts]] = 1
    counts[over[~wanted]] = False
    return hits[counts]


def best_overlaps(objects: Objects, found: Found) -> tuple[Floats, NDArray[np.int64]]:
    """The object of its image that each detection overlaps most, by IoU; of equal ones the first.

    Returns:
        The IoU, and the row of the object: (n,), (n,); 0 and -1 where its image has none.
    """
    order = np.argsort(objects.images, kind="stable")
    first = np.searchsorted(objects.images[order], found.images, "left")
    counts = np.searchsorted(objects.images[order], found.images, "right") - first
    overlaps, nearest = np.zeros(len(counts)), np.full(len(counts), -1)
    some = np.flatnonzero(counts)
    for rows in _parts(some, counts):
        count = counts[rows]
        starts = np.cumsum(count) - count
        within = np.arange(count.sum()) - np.repeat(starts, count)
        others = order[np.repeat(first[rows], count) + within]
        ious = _iou(found.places[np.repeat(rows, count)], objects.places[others])
        overlaps[rows] = np.maximum.reduceat(ious, starts)
        best = np.flatnonzero(ious == np.repeat(overlaps[rows], count))
        _, firsts = np.unique(np.searchsorted(starts, best, "right"), return_index=True)
        nearest[rows] = others[best[firsts]]
    return overlaps, nearest


def _parts(rows: NDArray[np.int64], counts: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Rows in parts of so many pairs that they fit into memory."""
    sums = np.cumsum(counts[rows])
    edges = np.arange(_PAIRS, sums[-1] if len(sums) else 0, _PAIRS)
    yield from (part for part in np.split(rows, np.searchsorted(sums, edges)) if len(part))


def _iou(some: Floats, others: Floats) -> Floats:
    """Of pairs of boxes: (n, 4), (n, 4) to (n,)."""
    low = np.maximum(some[:, :2], others[:, :2])
    high = np.minimum(some[:, :2] + some[:, 2:], others[:, :2] + others[:, 2:])
    common = np.prod(np.clip(high - low, 0, None), axis=1)
    union = np.prod(some[:, 2:], axis=1) + np.prod(others[:, 2:], axis=1) - common
    return np.asarray(np.divide(common, union, out=np.zeros(len(common)), where=union > 0))
