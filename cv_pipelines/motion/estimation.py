"""How the camera moved between two pictures: corners that are followed, and what most of the picture does."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from cv_pipelines.motion.intervals import Reason
from cv_pipelines.motion.similarity import TOLERANCE, Fit, Points, Similarity, refine
from cv_pipelines.motion.texture import Look, as_bright, look_at, why_not_followed

Grey = NDArray[np.uint8]
"""Shape (height, width)."""
Mask = NDArray[np.bool_]

CORNERS = 300
_CANDIDATES = 1000
_WEAKEST, _FAINTEST = 0.001, 2e-5
"""Against the strongest corner: still ground beside sharp things that move has to be seen, too; and as such (the
smaller eigenvalue of the structure tensor): below it is the noise of eight bits."""
_FEW = 150
_FEWEST = 12
_KEEP_FOR = 8
_MUCH_ALIKE = 2.0
_WINDOW = (11, 11)
_LEVELS_AHEAD, _LEVELS_SEARCH = 1, 4
_STOP = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_COUNT, 20, 0.005)
_GOOD, _ENOUGH = 0.7, 0.35
_STEADY, _STEP = 1.5, 1.5
_CELLS = 12
_COVERED = 8
"""Cells of the picture, of 12 along its longer side, that must move with the camera where most corners do not."""


@dataclass(frozen=True)
class Estimate:
    """What happened between two pictures.

    Attributes:
        motion: about the centre, in pixels of the pictures; None where there is none to be known.
        reason: why not.
        inliers: share of the tracked points that agree.
        residual: their root mean square distance from where they should be, in pixels.
        confidence: from 0 to 1.
    """

    motion: Similarity | None
    reason: Reason = ""
    inliers: float = 0.0
    residual: float = 0.0
    confidence: float = 0.0


class MotionEstimator:
    """Follows corners from picture to picture (Shi and Tomasi 1994; Lucas and Kanade, in pyramids: Bouguet 2001).

    Corners are followed for some pictures before new ones are looked for, and looked for first where the last
    motion would have taken them; only where that fails is the whole neighbourhood searched. Everything is
    determined by the pictures since the last `restart`.
    """

    def __init__(self, centre: complex) -> None:
        """For pictures of one size.

        Args:
            centre: what motion is told about, x + i y in pixels of the pictures.
        """
        self._centre = centre
        self.restart()

    def restart(self) -> None:
        """Forget what was seen."""
        self._before: Grey | None = None
        self._look: Look | None = None
        self._corners: Points = np.empty(0, np.complex128)
        self._age = 0
        self._last = Similarity()

    def see(self, picture: Grey) -> Estimate | None:
        """Take the next picture; the motion since the one before, None for the first."""
        look = look_at(picture)
        before, look_before = self._before, self._look
        self._before, self._look = picture, look
        if before is None or look_before is None:
            return None
        if before.shape != picture.shape:  # a stream may change its size: another camera
            return self._lost("cut")
        if len(self._corners) < _FEW or self._age >= _KEEP_FOR:
            self._corners, self._age = find_corners(before), 0
        self._age += 1
        if len(self._corners) < _FEWEST:
            return self._lost(look_before.why_without_corners())
        after, fit = self._follow(as_bright(before, look_before, look), picture)
        share = float(fit.agree.mean()) if fit else 0.0
        if fit is None or (share < _ENOUGH and not look.is_like(look_before)):
            return self._lost(why_not_followed(before, picture))
        self._corners, self._last = after[fit.agree], fit.motion
        about_centre = Similarity(fit.motion.turn, fit.motion(np.array([self._centre]))[0] - self._centre)
        sure = confidence(share, after[fit.agree], picture.shape)
        return Estimate(about_centre, "", share, fit.residual, sure)

    def _follow(self, before: Grey, picture: Grey) -> tuple[Points, Fit | None]:
        """Where the corners went, and what they agree on: near where they are expected, else anywhere."""
        corners = self._corners
        after, found = track(before, picture, corners, self._last(corners))
        fit = goes_on(corners, after, found, self._last)
        if fit is not None and fit.agree.mean() >= _GOOD:
            return after, fit
        fit = agree_on(corners, after, found)
        if fit is not None and fit.agree.mean() >= _GOOD:
            return after, fit
        wide, wide_found = track(before, picture, corners, None)
        tries = [(after, found, fit), (wide, wide_found, agree_on(corners, wide, wide_found))]
        guesses = (self._last, Similarity())
        found_fits = [
            (where, one) for where, seen, fit in tries for one in _fits(corners, where, seen, fit, guesses)
        ]
        best = max(found_fits, key=lambda pair: self._support(pair[1], picture.shape), default=None)
        if best is None or best[1].agree.mean() >= _ENOUGH:
            return best or (after, None)
        covered = _cells(corners[best[1].agree], picture.shape)
        return best if covered >= _COVERED else (after, None)

    def _support(self, fit: Fit, shape: tuple[int, ...]) -> tuple[float, int]:
        """What speaks for a motion being the camera's: how much of the picture has it, and that it goes on."""
        expected, seen = (motion(np.array([self._centre]))[0] for motion in (self._last, fit.motion))
        steady = _STEADY if abs(expected - seen) < _STEP else 1.0
        return steady * _cells(self._corners[fit.agree], shape), int(fit.agree.sum())

    def _lost(self, reason: Reason) -> Estimate:
        self._corners, self._last = np.empty(0, np.complex128), Similarity()
        return Estimate(None, reason)


def find_corners(picture: Grey) -> Points:
    """Corners to follow; shape (n,), at most CORNERS.

    Each cell of the picture gives its best one, then each its second, and so on: sharp things that move through
    the picture must not take all the corners.
    """
    apart = max(picture.shape) / 40
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
    guess = np.empty(0, np.float32) if expected is None else _real(expected)
    levels = _LEVELS_SEARCH if expected is None else _LEVELS_AHEAD
    arrived, status, _ = cv2.calcOpticalFlowPyrLK(
        before, after, _real(corners), guess, winSize=_WINDOW, maxLevel=levels, criteria=_STOP, flags=flags
    )
    return _complex(arrived), status.ravel() == 1


def goes_on(before: Points, after: Points, found: Mask, last: Similarity) -> Fit | None:
    """A motion much like the last one, where most points have it: then there is no need to search for one."""
    beside = after - last(before)
    seen = beside[found]
    if len(seen) < _FEWEST:
        return None
    shift = complex(np.median(seen.real), np.median(seen.imag))
    near = found & (np.abs(beside - shift) < _MUCH_ALIKE)
    return _refined(before, after, found, near) if near.sum() >= _FEWEST else None


def agree_on(before: Points, after: Points, found: Mask) -> Fit | None:
    """The similarity that most points follow (RANSAC: Fischler, Bolles 1981; then `refine`); None: too few do."""
    if found.sum() < _FEWEST:
        return None
    _, inliers = cv2.estimateAffinePartial2D(
        _real(before[found]), _real(after[found]), method=cv2.RANSAC, ransacReprojThreshold=TOLERANCE
    )
    if inliers is None or inliers.sum() < _FEWEST:
        return None
    agree = np.zeros(len(before), bool)
    agree[found] = inliers.ravel() == 1
    return _refined(before, after, found, agree)


def _refined(before: Points, after: Points, found: Mask, agree: Mask) -> Fit | None:
    fit = refine(before, after, agree)
    near = fit.agree & found
    return Fit(fit.motion, near, fit.residual) if near.sum() >= _FEWEST else None


def _fits(
    before: Points, after: Points, found: Mask, fit: Fit | None, guesses: Iterable[Similarity]
) -> Iterator[Fit]:
    """What most points agree on, what most of the others do, and what is left of guesses."""
    if fit is not None:
        yield fit
        second = agree_on(before, after, found & ~fit.agree)
        if second is not None:
            yield second
    for guess in guesses:
        near = found & (np.abs(after - guess(before)) < TOLERANCE)
        if near.sum() >= _FEWEST and (refined := _refined(before, after, found, near)):
            yield refined


def _cells(points: Points, shape: tuple[int, ...]) -> int:
    """Over how many cells of a picture points are spread."""
    return len(np.unique(_cell_of(points, shape)))


def _cell_of(points: Points, shape: tuple[int, ...]) -> NDArray[np.int64]:
    side = max(shape) / _CELLS
    return (np.floor(points.imag / side) * 2 * _CELLS + np.floor(points.real / side)).astype(np.int64)


def confidence(share: float, agreeing: Points, shape: tuple[int, ...]) -> float:
    """How much a motion can be relied on: many points, most of them agreeing, spread over the picture.

    Args:
        share: of the points that agree.
        agreeing: those; shape (n,).
        shape: of the picture, (height, width).
    """
    evenly = abs(complex(shape[1], shape[0])) / math.sqrt(12)
    spread = float(np.std(agreeing)) / evenly
    return min(1.0, share * min(1.0, len(agreeing) / 50) * min(1.0, 1.25 * spread))


def _real(points: Points) -> NDArray[np.float32]:
    """Shape (n, 1, 2), as OpenCV has it."""
    return points.view(np.float64).reshape(-1, 1, 2).astype(np.float32)


def _complex(points: NDArray[Any]) -> Points:
    return np.ascontiguousarray(points.reshape(-1, 2), np.float64).view(np.complex128).ravel()
