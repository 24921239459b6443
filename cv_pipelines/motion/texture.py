"""How a picture looks as a whole: enough to say why nothing in it could be followed."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from cv_pipelines.motion.intervals import Reason

DARK = 30.0
"""Mean brightness (of 255) below which a picture in which nothing is found is dark; video black is 16."""
_FLAT = 4.0
_SOFTER = 0.5
_ALIKE = 0.8
_STEADY, _LARGEST_GAIN = 0.01, 1.5
_CELLS = (16, 9)


@dataclass(frozen=True)
class Look:
    """A picture at a glance.

    Attributes:
        brightness: mean, of 255.
        contrast: standard deviation of the picture made small: large shapes only.
        shapes: the picture made very small, its mean taken off; shape (cells,).
    """

    brightness: float
    contrast: float
    shapes: NDArray[np.float32]

    def is_like(self, before: "Look") -> bool:
        """Whether two pictures show the same scene, as far as large shapes tell: their correlation."""
        product = float(self.shapes @ before.shapes)
        return product >= _ALIKE * float(np.linalg.norm(self.shapes) * np.linalg.norm(before.shapes))

    def why_without_corners(self) -> Reason:
        """Why there is nothing in this picture that could be followed."""
        if self.brightness < DARK:
            return "dark"
        return "textureless" if self.contrast < _FLAT else "blurred"


def look_at(picture: NDArray[np.uint8]) -> Look:
    """Look at a picture; shape (height, width)."""
    small = cv2.resize(picture, _CELLS, interpolation=cv2.INTER_AREA)
    mean, deviation = cv2.meanStdDev(small)
    shapes = small.astype(np.float32).ravel() - np.float32(mean[0, 0])
    return Look(float(mean[0, 0]), float(deviation[0, 0]), shapes)


def as_bright(picture: NDArray[np.uint8], own: Look, other: Look) -> NDArray[np.uint8]:
    """A picture with the brightness and contrast of another one, where a fade or the exposure has changed it.

    Tracking takes a point for as bright as it was.
    """
    if abs(own.brightness - other.brightness) < _STEADY * own.brightness or own.contrast < _FLAT:
        return picture
    gain = other.contrast / own.contrast
    if not 1 / _LARGEST_GAIN < gain < _LARGEST_GAIN:
        return picture
    return cv2.convertScaleAbs(picture, alpha=gain, beta=other.brightness - gain * own.brightness)  # type: ignore[return-value]


def why_not_followed(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> Reason:
    """Why what was in a picture is not found in the next one."""
    look = look_at(after)
    if look.brightness < DARK:
        return "dark"
    if look.contrast < _FLAT:
        return "textureless"
    return "blurred" if _detail(after) < _SOFTER * _detail(before) else "cut"


def _detail(picture: NDArray[np.uint8]) -> float:
    """Mean strength of the edges."""
    half = cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    edges = cv2.Laplacian(half, cv2.CV_16S)
    return float(cv2.norm(edges, cv2.NORM_L1)) / edges.size
