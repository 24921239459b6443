"""Pixels at the size that a model takes."""

import cv2

from cv_pipelines.images.decode import Pixels, decode_image


def resize(pixels: Pixels, size: int) -> Pixels:
    """Stretch to (size, size, 3): by area where both sides shrink (no moiré), else bilinear."""
    shrinks = min(pixels.shape[:2]) >= size
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return cv2.resize(pixels, (size, size), interpolation=method).astype("uint8", copy=False)


def decode_for_model(data: bytes, size: int) -> Pixels:
    """Decode and stretch to (size, size, 3): the same pixels in training and in prediction."""
    return resize(decode_image(data, at_least=size), size)
