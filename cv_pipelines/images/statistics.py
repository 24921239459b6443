"""Numbers about one image: for checks, drift and near duplicates."""

import cv2
import numpy as np

from cv_pipelines.images.decode import Pixels

STATISTICS = ("brightness", "contrast", "saturation", "sharpness")
_SIDE = 64


def image_statistics(rgb: Pixels) -> dict[str, float]:
    """Statistics of an RGB image (height, width, 3), measured at 64 x 64 so that size plays no part.

    Returns:
        brightness and saturation: means, 0 to 1; contrast: standard deviation of brightness;
        sharpness: variance of the Laplacian of brightness (Pech-Pacheco et al., 2000).
    """
    small = cv2.resize(rgb, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255.0
    high, low = small.max(axis=2).astype(np.float32), small.min(axis=2).astype(np.float32)
    saturation = np.where(high > 0, (high - low) / np.maximum(high, 1.0), 0.0)
    sharpness = cv2.Laplacian(grey, cv2.CV_32F).var()
    values = (grey.mean(), grey.std(), saturation.mean(), sharpness)
    return {name: round(float(value), 6) for name, value in zip(STATISTICS, values, strict=True)}


def perceptual_hash(rgb: Pixels) -> str:
    """64 bits as 16 hex digits: the signs of the lowest 8 x 8 frequencies of a 32 x 32 grey image.

    The usual DCT hash ("pHash", Zauner 2010): alike images differ in few bits.
    """
    grey = cv2.cvtColor(cv2.resize(rgb, (32, 32), interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
    low = np.asarray(cv2.dct(grey.astype(np.float32)))[:8, :8]
    return np.packbits(low > np.median(low)).tobytes().hex()
