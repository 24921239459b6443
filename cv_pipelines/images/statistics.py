"""Numbers about images, for checks, drift and near duplicates: for many at once, as each call has its price.

All are measured on thumbnails of 64 x 64, so that size plays no part.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from cv_pipelines.images.decode import Pixels

STATISTICS = ("brightness", "contrast", "saturation", "sharpness")
SIDE = 64
Values = NDArray[np.float64]


def thumbnail(rgb: Pixels) -> Pixels:
    """An image (height, width, 3) at SIDE x SIDE, each pixel the mean of what it covers."""
    if rgb.shape[:2] == (SIDE, SIDE):
        return rgb
    return np.asarray(cv2.resize(rgb, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8)


def image_statistics(thumbnails: Pixels) -> dict[str, Values]:
    """Statistics of each of n thumbnails (n, SIDE, SIDE, 3), float64 (n,).

    Returns:
        brightness and saturation: means, 0 to 1; contrast: standard deviation of brightness;
        sharpness: variance of the Laplacian of brightness (Pech-Pacheco et al., 2000).
    """
    grey = grey_levels(thumbnails)
    brightness, variance = _moments(grey)
    saturation, _ = _moments(_converted(thumbnails, cv2.COLOR_RGB2HSV)[..., 1])
    _, sharpness = _moments(_laplacian(grey))
    values = {
        "brightness": brightness / 255,
        "contrast": np.sqrt(variance) / 255,
        "saturation": saturation / 255,
        "sharpness": sharpness / 255**2,
    }
    return {name: value.round(6) for name, value in values.items()}


def perceptual_hashes(thumbnails: Pixels) -> list[str]:
    """64 bits as 16 hex digits: the signs of the lowest 8 x 8 frequencies of a 32 x 32 grey image.

    The usual DCT hash ("pHash", Zauner 2010): alike images differ in few bits.
    """
    tall = grey_levels(thumbnails).reshape(-1, SIDE).astype(np.float32)
    half = cv2.resize(tall, (SIDE // 2, len(tall) // 2), interpolation=cv2.INTER_AREA)
    low = _LOW_FREQUENCIES @ half.reshape(-1, SIDE // 2, SIDE // 2) @ _LOW_FREQUENCIES.T
    low = low.reshape(-1, 64).round(6)  # rounding errors are no signs
    middle = np.sort(low, axis=1)[:, 31:33].mean(axis=1, keepdims=True)  # the median
    bits = np.packbits(low > middle, axis=1)
    return [row.tobytes().hex() for row in bits]


def grey_levels(thumbnails: Pixels) -> Pixels:
    """The brightness of each pixel: (n, SIDE, SIDE, 3) to (n, SIDE, SIDE)."""
    return _converted(thumbnails, cv2.COLOR_RGB2GRAY)


def _converted(thumbnails: Pixels, code: int) -> Pixels:
    """All of them in another colour space, in one call: they lie below each other as one tall image."""
    tall = thumbnails.reshape(-1, SIDE, 3)
    converted = np.asarray(cv2.cvtColor(tall, code), np.uint8)
    return converted.reshape(len(thumbnails), SIDE, SIDE, *converted.shape[2:])


def _moments(images: NDArray[np.integer]) -> tuple[Values, Values]:
    """Mean and variance of each of n images: their sums are whole numbers, and so without rounding errors."""
    rows = images.reshape(len(images), -1)
    means = rows.sum(axis=1, dtype=np.int32) / rows.shape[1]
    squares = np.array([cv2.norm(row, cv2.NORM_L2SQR) for row in rows]) / rows.shape[1]
    return means, squares - means**2


def _laplacian(grey: Pixels) -> NDArray[np.int16]:
    """The sum of the four neighbours less four times the pixel, inside the border."""
    edges = cv2.Laplacian(grey.reshape(-1, SIDE), cv2.CV_16S, ksize=1)  # whatever lies above and below is cut off
    return np.asarray(edges.reshape(grey.shape)[:, 1:-1, 1:-1], np.int16)


def _cosines(count: int, length: int) -> NDArray[np.float64]:
    """The first rows of the orthonormal DCT-II matrix."""
    row, column = np.mgrid[:count, :length]
    matrix = np.cos(np.pi * (2 * column + 1) * row / (2 * length)) * np.sqrt(2 / length)
    matrix[0] /= np.sqrt(2)
    return np.asarray(matrix, np.float64)


_LOW_FREQUENCIES = _cosines(8, SIDE // 2)
