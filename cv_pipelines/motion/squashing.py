"""Short runs join a neighbour, until none is left that could."""

import heapq
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


def squash(lengths: Ints, kinds: Ints, family: Callable[[int], int], shortest: int, wall: int) -> Ints:
    """The kinds of runs after the short ones have been taken in by their neighbours.

    The shortest run goes first, of equals the earliest. It joins the neighbour of its own family before one of
    another family, then one of which something is known, then the longer, then the earlier; runs of one kind that
    have come together count as one from then on. Walls are neither taken in nor joined: a run between two walls
    stays, however short.

    Args:
        lengths: shape (n,), frames of each run.
        kinds: shape (n,), no two neighbours the same, but walls.
        family: of a kind; negative where it means that nothing is known.
        shortest: frames; a run of fewer is short.
        wall: the kind that separates.

    Returns:
        shape (n,): kinds.
    """
    runs = _Runs(lengths.tolist(), kinds.tolist(), wall)
    waiting = [(length, run) for run, length in enumerate(runs.lengths) if length < shortest]
    heapq.heapify(waiting)
    while waiting:
        length, run = heapq.heappop(waiting)
        if runs.into[run] != run or runs.lengths[run] != length or runs.kinds[run] == wall:
            continue
        beside = [other for other in (runs.before[run], runs.after[run]) if runs.joinable(other)]
        if not beside:
            continue
        own = family(runs.kinds[run])
        best = max(beside, key=lambda other: _claim(family(runs.kinds[other]), own, runs.lengths[other], other))
        joined = runs.join(run, runs.kinds[best])
        if runs.lengths[joined] < shortest:
            heapq.heappush(waiting, (runs.lengths[joined], joined))
    return np.array([runs.kinds[runs.root(run)] for run in range(len(kinds))], np.int64)


def _claim(family: int, own: int, length: int, run: int) -> tuple[bool, bool, int, int]:
    """How good a neighbour is to join; the larger the better."""
    return family == own, family >= 0, length, -run


class _Runs:
    """Runs as a chain, of which some have become one."""

    def __init__(self, lengths: list[int], kinds: list[int], wall: int) -> None:
        self.lengths, self.kinds, self.wall = lengths, kinds, wall
        self.before = list(range(-1, len(kinds) - 1))
        self.after = [*range(1, len(kinds)), -1]
        self.into = list(range(len(kinds)))

    def joinable(self, run: int) -> bool:
        return run >= 0 and self.kinds[run] != self.wall

    def join(self, run: int, kind: int) -> int:
        """Give a run a kind and make it one with the neighbours that have it; returns the first of them."""
        self.kinds[run] = kind
        for other in (self.before[run], self.after[run]):
            if other >= 0 and self.kinds[other] == kind:
                run = self._merge(*sorted((run, other)))
        return run

    def root(self, run: int) -> int:
        """The run that this one has become part of."""
        while self.into[run] != run:
            self.into[run] = self.into[self.into[run]]
            run = self.into[run]
        return run

    def _merge(self, first: int, second: int) -> int:
        self.lengths[first] += self.lengths[second]
        self.into[second], after = first, self.after[second]
        self.after[first] = after
        if after >= 0:
            self.before[after] = first
        return first
