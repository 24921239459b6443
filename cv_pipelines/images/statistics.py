"""Numbers about images, for checks, drift and near duplicates: for many at once, as each call has its price.

All are measured on thumbnails of 64 x 64, so that size plays no part.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from cv_pipelines.images.decode import Pixels

STATISTICS = ("brightness", "contrast", "saturation", "sharpness")
SIDE = 64
Values = NDArray[np.float32]


def thumbnail(rgb: Pixels) -> Pixels:
    """An image (height, width, 3) at SIDE x SIDE, each pixel the mean of what it covers."""
    return np.asarray(cv2.resize(rgb, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8)


def image_statistics(thumbnails: Pixels) -> dict[str, Values]:
    """Statistics of each of n thumbnails (n, SIDE, SIDE, 3), float32 (n,).

    Returns:
        brightness and saturation: means, 0 to 1; contrast: standard deviation of brightness;
        sharpness: variance of the Laplacian of brightness (Pech-Pacheco et al., 2000).
    """
    grey = grey_of(thumbnails)
    saturation = _converted(thumbnails, cv2.COLOR_RGB2HSV)[..., 1]
    values = {
        "brightness": _mean(grey),
        "contrast": np.sqrt(_variance(grey)),
        "saturation": _mean(saturation.astype(np.float32) / np.float32(255)),
        "sharpness": _variance(_laplacian(grey)),
    }
    return {name: value.round(6) for name, value in values.items()}


def perceptual_hashes(thumbnails: Pixels) -> list[str]:
    """64 bits as 16 hex digits: the signs of the lowest 8 x 8 frequencies of a 32 x 32 grey image.

    The usual DCT hash ("pHash", Zauner 2010): alike images differ in few bits.
    """
    grey = grey_of(thumbnails)
    half = grey[:, ::2, ::2] + grey[:, 1::2, ::2] + grey[:, ::2, 1::2] + grey[:, 1::2, 1::2]
    low = (_LOW_FREQUENCIES @ half @ _LOW_FREQUENCIES.T).reshape(-1, 64).round(6)  # rounding errors are no signs
    bits = np.packbits(low > np.median(low, axis=1, keepdims=True), axis=1)
    return [row.tobytes().hex() for row in bits]


def grey_of(thumbnails: Pixels) -> Values:
    """The brightness of each pixel, 0 to 1: (n, SIDE, SIDE, 3) to (n, SIDE, SIDE)."""
    return _converted(thumbnails, cv2.COLOR_RGB2GRAY).astype(np.float32) / np.float32(255)


def _converted(thumbnails: Pixels, code: int) -> Pixels:
    """All of them in another colour space, in one call: they lie below each other as one tall image."""
    tall = thumbnails.reshape(-1, SIDE, 3)
    converted = np.asarray(cv2.cvtColor(tall, code), np.uint8)
    return converted.reshape(len(thumbnails), SIDE, SIDE, *converted.shape[2:])


def _mean(images: Values) -> Values:
    return np.asarray(np.einsum("nij->n", images) / np.float32(images[0].size), np.float32)


def _variance(images: Values) -> Values:
    rest = images - _mean(images)[:, None, None]
    return np.asarray(np.einsum("nij,nij->n", rest, rest) / np.float32(rest[0].size), np.float32)


def _laplacian(grey: Values) -> Values:
    """The sum of the four neighbours less four times the pixel, inside the border."""
    middle = grey[:, 1:-1, 1:-1]
    around = grey[:, :-2, 1:-1] + grey[:, 2:, 1:-1] + grey[:, 1:-1, :-2] + grey[:, 1:-1, 2:]
    return np.asarray(around - 4 * middle, np.float32)


def _cosines(count: int, length: int) -> NDArray[np.float64]:
    """The first rows of the orthonormal DCT-II matrix."""
    row, column = np.mgrid[:count, :length]
    matrix = np.cos(np.pi * (2 * column + 1) * row / (2 * length)) * np.sqrt(2 / length)
    matrix[0] /= np.sqrt(2)
    return np.asarray(matrix, np.float64)


_LOW_FREQUENCIES = _cosines(8, SIDE // 2)
