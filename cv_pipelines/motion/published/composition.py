"""Similarities about the centre of a picture: one after another, and about another point.

A similarity is a row `[scale, rotation, tx, ty]`: it takes p to `c + scale * R(rotation) (p - c) + (tx, ty)`, with
the signs of `intervals.INTERVALS`. Arrays have the shape (n, 4) or, for one, (4,); they may be broadcast. A
similarity of the plane is a complex number z = scale * exp(i rotation) with a shift w = tx + i ty: so all of this
is computed. (A motion is estimated as a `similarity.Similarity`, which is that number; rows are for tables of
them, and keep full turns, which the number does not.)
"""

import numpy as np
from numpy.typing import NDArray

Similarities = NDArray[np.float64]
"""Shape (n, 4) or (4,): scale, rotation in radians, tx and ty in pixels."""
_Complex = NDArray[np.complex128]

IDENTITY: Similarities = np.array([1.0, 0.0, 0.0, 0.0])
IDENTITY.setflags(write=False)


def compose(first: Similarities, second: Similarities) -> Similarities:
    """What `second` makes of what `first` has made. Rotations are added, never wrapped: full turns are kept."""
    turn, shift = _turn(second), _shift(second)
    moved = turn * _shift(first) + shift
    return _rows(first[..., 0] * second[..., 0], first[..., 1] + second[..., 1], moved)


def compose_windows(steps: Similarities, starts: NDArray[np.int64], length: int) -> Similarities:
    """The motion over `length` steps that follow each other, from each of `starts`.

    Folded window by window, not divided out of one product over the whole video: zooms of an hour multiply to
    numbers that leave no digits for the pixels.

    Args:
        steps: shape (n, 4).
        starts: shape (m,), indices of the windows' first steps; all windows lie inside.
        length: steps in each window; 0 gives identities.

    Returns:
        shape (m, 4).
    """
    total = np.tile(IDENTITY, (len(starts), 1))
    for place in range(length):
        total = compose(total, steps[starts + place])
    return total


def about(similarities: Similarities, shift: NDArray[np.float64]) -> Similarities:
    """The same motions written about other points, which lie `shift` (x, y) pixels from the present ones.

    Args:
        similarities: shape (n, 4) or (4,).
        shift: shape (2,), or (n, 2) of one for each.
    """
    moved = shift[..., 0] + 1j * shift[..., 1]
    shifted = _shift(similarities) + (_turn(similarities) - 1) * moved
    return _rows(similarities[..., 0], similarities[..., 1], shifted)


def apply(similarities: Similarities, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Where points are seen after the motion; both relative to the centre, shape (n, 2) or (2,)."""
    seen = _turn(similarities) * (points[..., 0] + 1j * points[..., 1]) + _shift(similarities)
    return np.stack([seen.real, seen.imag], axis=-1)


def _turn(rows: Similarities) -> _Complex:
    turned: _Complex = rows[..., 0] * np.exp(1j * rows[..., 1])
    return turned


def _shift(rows: Similarities) -> _Complex:
    shifted: _Complex = rows[..., 2] + 1j * rows[..., 3]
    return shifted


def _rows(scale: NDArray[np.float64], rotation: NDArray[np.float64], shift: _Complex) -> Similarities:
    return np.stack(np.broadcast_arrays(scale, rotation, shift.real, shift.imag), axis=-1)
