"""Small pictures of images for people, without anything but their pixels."""

import io

from PIL import Image

from cv_pipelines.images.decode import decode_image

SMALLEST, LARGEST = 96, 768
"""Pixels of the longer side."""
QUALITY = 82


def thumbnail_jpeg(data: bytes, size: int) -> bytes:
    """A JPEG of an image file that fits into `size` x `size`; tiny images grow by whole pixels and stay sharp.

    Args:
        data: the bytes of the file, which an ingest has checked.
        size: SMALLEST to LARGEST.

    Raises:
        InputError: code `undecodable` and others of `decode_image`.
    """
    picture = Image.fromarray(decode_image(data, at_least=size))
    scale = size / max(picture.size)
    if scale >= 2:
        scale = int(scale)
    sides = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    method = Image.Resampling.NEAREST if scale >= 2 else Image.Resampling.LANCZOS
    small = io.BytesIO()
    picture.resize(sides, method).save(small, "JPEG", quality=QUALITY)
    return small.getvalue()
