"""Corners of a picture, and where they are in the next one."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from cv_pipelines.motion.similarity import Mask, Points

Grey = NDArray[np.uint8]
"""Shape (height, width)."""

CORNERS = 300
"""More of them cost time and gain nothing: what is left of the errors is the codec's."""
CELLS = 12
"""Cells of a picture along its longer side."""
_CANDIDATES = 1000
_APART = 40
"""Corners are at least this part of the longer side away from each other."""
_WEAKEST, _FAINTEST = 0.001, 2e-5
"""Against the strongest corner: still ground beside sharp things that move has to be seen, too; and as such (the
smaller eigenvalue of the structure tensor): below it is the noise of eight bits."""
_WINDOW = (11, 11)
_LEVELS_AHEAD, _LEVELS_SEARCH = 1, 4
"""Of the pyramid: where it is known about where a corner goes, and where it is not."""
_STOP = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_COUNT, 20, 0.005)


def find_corners(picture: Grey) -> Points:
    """Corners to follow; shape (n,), at most CORNERS.

    Each cell of the picture gives its best one, then each its second, and so on: sharp things that move through
    the picture must not take all the corners.
    """
    apart = max(picture.shape) / _APART
    everywhere: Any = None
    found, strength = cv2.goodFeaturesToTrackWithQuality(picture, _CANDIDATES, _WEAKEST, apart, everywhere)
    corners: Any = found  # None where there is none
    if corners is None:
        return np.empty(0, np.complex128)
    points = _complex(corners)[np.ravel(strength) > _FAINTEST]
    cells = _cell_of(points, picture.shape)
    by_cell = np.argsort(cells, kind="stable")
    grouped = cells[by_cell]
    place = np.empty(len(points), np.int64)
    place[by_cell] = np.arange(len(points)) - np.searchsorted(grouped, grouped)
    return points[np.argsort(place, kind="stable")[:CORNERS]]


def track(before: Grey, after: Grey, corners: Points, expected: Points | None) -> tuple[Points, Mask]:
    """Follow corners into the next picture.

    Args:
        before: a picture.
        after: the next.
        corners: in the first; shape (n,).
        expected: where to look first; None: look far and wide.

    Returns:
        Where they are, and which of them were found; shape (n,) each.
    """
    flags = 0 if expected is None else cv2.OPTFLOW_USE_INITIAL_FLOW
    guess = np.empty(0, np.float32) if expected is None else to_opencv(expected)
    levels = _LEVELS_SEARCH if expected is None else _LEVELS_AHEAD
    arrived, status, _ = cv2.calcOpticalFlowPyrLK(
        before, after, to_opencv(corners), guess, winSize=_WINDOW, maxLevel=levels, criteria=_STOP, flags=flags
    )
    return _complex(arrived), status.ravel() == 1


def cells_of(points: Points, shape: tuple[int, ...]) -> int:
    """Over how many cells of a picture points are spread."""
    return len(np.unique(_cell_of(points, shape)))


def _cell_of(points: Points, shape: tuple[int, ...]) -> NDArray[np.int64]:
    side = max(shape) / CELLS
    return (np.floor(points.imag / side) * 2 * CELLS + np.floor(points.real / side)).astype(np.int64)


def to_opencv(points: Points) -> NDArray[np.float32]:
    """Shape (n, 1, 2), as OpenCV has it."""
    return points.view(np.float64).reshape(-1, 1, 2).astype(np.float32)


def _complex(points: NDArray[Any]) -> Points:
    return np.ascontiguousarray(points.reshape(-1, 2), np.float64).view(np.complex128).ravel()
