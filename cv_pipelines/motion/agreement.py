"""What the points that were followed agree on; and which of several motions is the camera's."""

import math
from collections.abc import Iterable, Iterator

import cv2
import numpy as np

from cv_pipelines.motion.corners import to_opencv
from cv_pipelines.motion.similarity import TOLERANCE, Fit, Mask, Points, Similarity, refine

FEWEST = 12
"""Points that must agree."""
_MUCH_ALIKE = 2.0
"""Pixels by which points may differ from the median before a fit decides."""


def goes_on(before: Points, after: Points, found: Mask, last: Similarity) -> Fit | None:
    """A motion much like the last one, where most points have it: then there is no need to search for one."""
    beside = after - last(before)
    seen = beside[found]
    if len(seen) < FEWEST:
        return None
    shift = complex(np.median(seen.real), np.median(seen.imag))
    near = found & (np.abs(beside - shift) < _MUCH_ALIKE)
    return _refined(before, after, found, near) if near.sum() >= FEWEST else None


def agree_on(before: Points, after: Points, found: Mask) -> Fit | None:
    """The similarity that most points follow (RANSAC: Fischler, Bolles 1981; then `refine`); None: too few do."""
    if found.sum() < FEWEST:
        return None
    _, inliers = cv2.estimateAffinePartial2D(
        to_opencv(before[found]), to_opencv(after[found]), method=cv2.RANSAC, ransacReprojThreshold=TOLERANCE
    )
    if inliers is None or inliers.sum() < FEWEST:
        return None
    agree = np.zeros(len(before), bool)
    agree[found] = inliers.ravel() == 1
    return _refined(before, after, found, agree)


def fits_of(
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
        if near.sum() >= FEWEST and (refined := _refined(before, after, found, near)):
            yield refined


def _refined(before: Points, after: Points, found: Mask, agree: Mask) -> Fit | None:
    fit = refine(before, after, agree)
    near = fit.agree & found
    return Fit(fit.motion, near, fit.residual) if near.sum() >= FEWEST else None


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
