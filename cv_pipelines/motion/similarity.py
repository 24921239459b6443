"""Similarities of the plane: the one fitted to points that moved, though some of them moved otherwise."""

from cmath import phase
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.complex128]
"""Shape (n,): x + i y of each point."""
Mask = NDArray[np.bool_]
"""Shape (n,): which of them."""

_ROUNDS = 4
_FAR = 4.0
_FINEST = 0.02
_SETTLED = 1e-3
TOLERANCE = 0.6
"""Pixels within which a point agrees, however exact the others are: still cameras show the same picture twice."""


@dataclass(frozen=True)
class Similarity:
    """z -> turn * z + shift, in whatever pixels the points were in.

    Attributes:
        turn: scale and rotation, as one complex number.
        shift: x + i y.
    """

    turn: complex = 1 + 0j
    shift: complex = 0j

    def __call__(self, points: Points) -> Points:
        """Where points go; shape (n,)."""
        return self.turn * points + self.shift

    @property
    def scale(self) -> float:
        """Above 1: things become larger."""
        return abs(self.turn)

    @property
    def rotation(self) -> float:
        """Radians, from x to y."""
        return phase(self.turn)

    def enlarged(self, factor: float) -> "Similarity":
        """The same motion in a picture that is larger by a factor."""
        return Similarity(self.turn, self.shift * factor)


@dataclass(frozen=True)
class Fit:
    """A similarity and how well it holds.

    Attributes:
        motion: the similarity.
        agree: which points move with it; shape (n,).
        residual: root mean square distance of those from where they should be.
    """

    motion: Similarity
    agree: Mask
    residual: float


def refine(before: Points, after: Points, agree: Mask) -> Fit:
    """Fit a similarity by least squares, reweighted so that what moves otherwise counts for nothing.

    Weights are Cauchy's, by the median residual, cut off at four times of it (Holland and Welsch, Robust
    Regression Using Iteratively Reweighted Least-Squares, 1977).

    Args:
        before: at least two points; shape (n,).
        after: where they went; shape (n,).
        agree: those to begin with, at least two; shape (n,).
    """
    weights = agree.astype(np.float64)
    motion, before_last = Similarity(), Similarity(0j)
    for _ in range(_ROUNDS):
        if (
            abs(motion.shift - before_last.shift) < _SETTLED
            and abs(motion.turn - before_last.turn) < _SETTLED / 500
        ):
            break
        motion, before_last = _least_squares(before, after, weights), motion
        distance = np.abs(after - motion(before))
        usual = 1.4826 * _median(distance[weights > 0]) + _FINEST
        near = distance < max(_FAR * usual, TOLERANCE)
        weights = near / (1 + (distance / usual) ** 2)
    return Fit(motion, near, float(np.sqrt(np.mean(distance[near] ** 2))))


def _median(values: NDArray[np.float64]) -> float:
    """The upper one of the two where there are two: a third of the time of NumPy's."""
    middle = len(values) // 2
    return float(np.partition(values, middle)[middle])


def _least_squares(before: Points, after: Points, weights: NDArray[np.float64]) -> Similarity:
    """The closed form for two clouds of points (Umeyama 1991), in complex numbers."""
    total = weights.sum()
    centre, target = (weights @ before) / total, (weights @ after) / total
    spread = before - centre
    turn = (weights * spread.conj()) @ (after - target) / (weights @ (spread.real**2 + spread.imag**2))
    return Similarity(complex(turn), complex(target - turn * centre))
