"""Queues and pages of them: pure functions over arrays with one value for each image, by row.

A queue is a mask, which images it has, and an order, a permutation of all rows. A page begins after an image, or
ends before one, that need not be in the queue any more: while one labels, images leave it.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cv_pipelines.web.image_index import Rows

Queue = Literal["all", "unlabelled", "unsure", "asked", "disagreement", "mine", "quarantined"]
Sort = Literal["id", "name", "unsure", "newest"]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Choice:
    """Which images of a data set a person wants to see, and in which order.

    Attributes:
        queue: which ones; see docs/labelling.md.
        sort: their order; empty: the queue's own.
        search: a part of the name.
        label: the number of a class that they bear.
        hide_labelled: leave out those that are labelled.
    """

    queue: Queue = "all"
    sort: Sort | Literal[""] = ""
    search: str = ""
    label: int | None = None
    hide_labelled: bool = False


@dataclass(frozen=True)
class Cut:
    """Rows of one page.

    Attributes:
        rows: of its images.
        start: how many images of the queue come before them.
        total: how many the queue has.
        earlier: the row of the last of those that come before; None: there is none.
    """

    rows: Rows
    start: int
    total: int
    earlier: int | None

    @property
    def end(self) -> int:
        """How many images of the queue there are up to and with the last one of the page."""
        return self.start + len(self.rows)


def cut_after(mask: Mask, order: Rows | None, place: int, most: int) -> Cut:
    """The images that come after a place of the order.

    Args:
        mask: which images the queue has.
        order: all rows; None: as they are.
        place: how many rows of the order are passed over, whether the queue has them or not.
        most: images of a page.
    """
    ordered = _ordered(mask, order)
    start = int(np.count_nonzero(ordered[:place]))
    return _cut(ordered, order, start, most)


def cut_before(mask: Mask, order: Rows | None, place: int, most: int) -> Cut:
    """The images that come right before a place of the order; never fewer than the first page has."""
    ordered = _ordered(mask, order)
    end = int(np.count_nonzero(ordered[:place]))
    return _cut(ordered, order, max(end - most, 0), most)


def neighbours(mask: Mask, order: Rows | None, place: int) -> tuple[int | None, int | None]:
    """The rows of the images of the queue right before and right after that at a place of the order."""
    ordered = _ordered(mask, order)
    earlier, later = ordered[:place][::-1], ordered[place + 1 :]
    before = place - 1 - int(earlier.argmax()) if earlier.any() else None
    after = place + 1 + int(later.argmax()) if later.any() else None
    found = (None if one is None else int(order[one]) if order is not None else one for one in (before, after))
    return next(found), next(found)


def place_in(order: Rows | None, row: int) -> int:
    """Where a row stands in an order."""
    return row if order is None else int(np.argmax(order == row))


def least_sure_first(entropy: NDArray[np.float32]) -> Rows:
    """All rows by falling entropy, those without one, NaN, last."""
    return np.argsort(-entropy, kind="stable")


def newest_first(event: NDArray[np.int64]) -> Rows:
    """All rows by falling number of the newest event of each, those without one, 0, last."""
    some, none = np.flatnonzero(event), np.flatnonzero(event == 0)
    return np.concatenate([some[np.argsort(-event[some])], none])


def ranked_first(rows: Rows, count: int) -> Rows:
    """All rows: some in their order, then the others."""
    others = np.ones(count, bool)
    others[rows] = False
    return np.concatenate([rows, np.flatnonzero(others)])


def mask_of(rows: Rows, count: int) -> Mask:
    """A mask of some rows."""
    mask = np.zeros(count, bool)
    mask[rows] = True
    return mask


def _ordered(mask: Mask, order: Rows | None) -> Mask:
    return mask if order is None else mask[order]


def _cut(ordered: Mask, order: Rows | None, start: int, most: int) -> Cut:
    places = np.flatnonzero(ordered)
    start = min(start, len(places))
    near = places[max(start - 1, 0) : start + most]
    rows = near if order is None else order[near]
    if not start:
        return Cut(rows, start, len(places), None)
    return Cut(rows[1:], start, len(places), int(rows[0]) if len(rows) else None)
