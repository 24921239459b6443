"""How the camera moved between two pictures: corners that are followed, and what most of the picture does."""

from dataclasses import dataclass

import numpy as np

from cv_pipelines.motion.agreement import FEWEST, agree_on, confidence, fits_of, goes_on
from cv_pipelines.motion.corners import Grey, cells_of, find_corners, track
from cv_pipelines.motion.intervals import Reason
from cv_pipelines.motion.similarity import Fit, Points, Similarity
from cv_pipelines.motion.texture import Look, as_bright, look_at, why_not_followed

_FEW, _KEEP_FOR = 150, 8
"""New corners are looked for when so few are left, and after so many pictures."""
_GOOD, _ENOUGH = 0.7, 0.35
"""Share of the corners with which a motion is taken at once, and with which it needs no other support."""
_COVERED = 8
"""Cells of the picture that must move with the camera where most corners do not."""
_STEADY, _STEP = 1.5, 1.5
"""By how much a motion counts for more that differs from the last one by at most so many pixels."""


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
        if len(self._corners) < FEWEST:
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
            (where, one) for where, seen, fit in tries for one in fits_of(corners, where, seen, fit, guesses)
        ]
        best = max(found_fits, key=lambda pair: self._support(pair[1], picture.shape), default=None)
        if best is None or best[1].agree.mean() >= _ENOUGH:
            return best or (after, None)
        covered = cells_of(corners[best[1].agree], picture.shape)
        return best if covered >= _COVERED else (after, None)

    def _support(self, fit: Fit, shape: tuple[int, ...]) -> tuple[float, int]:
        """What speaks for a motion being the camera's: how much of the picture has it, and that it goes on."""
        expected, seen = (motion(np.array([self._centre]))[0] for motion in (self._last, fit.motion))
        steady = _STEADY if abs(expected - seen) < _STEP else 1.0
        return steady * cells_of(self._corners[fit.agree], shape), int(fit.agree.sum())

    def _lost(self, reason: Reason) -> Estimate:
        self._corners, self._last = np.empty(0, np.complex128), Similarity()
        return Estimate(None, reason)
