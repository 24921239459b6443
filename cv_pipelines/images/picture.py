"""Pictures of images for people who look closely: large, and without anything but their pixels."""

import io
from dataclasses import dataclass

from PIL import Image

from cv_pipelines.images.decode import decode_image
from cv_pipelines.images.header import open_image

SMALLEST, LARGEST = 256, 8192
"""Pixels that the longer side may be asked to have at most."""
QUALITY = 92
_LOSSY = ("JPEG", "MPO", "WEBP")
_FLAT = ("1", "P")
"""Modes of few colours: drawings, masks, screenshots."""
_SMALL = 1_000_000
"""Pixels that are worth being sent without loss."""


@dataclass(frozen=True)
class Picture:
    """A file for a browser, and its media type."""

    data: bytes
    media_type: str


def picture_file(data: bytes, most: int) -> Picture:
    """An image file as a browser shows it: upright, no metadata; a larger one is made to fit into `most` x `most`.

    What came without loss and is small, or has few colours, stays without loss (PNG); all else is a JPEG.

    Args:
        data: the bytes of the file, which an ingest has checked.
        most: SMALLEST to LARGEST.

    Raises:
        InputError: code `undecodable` and others of `decode_image`.
    """
    header = open_image(data)
    lossless, flat = header.format not in _LOSSY, header.mode in _FLAT
    picture = Image.fromarray(decode_image(data, at_least=most))
    shrinks = max(picture.size) > most
    if shrinks:
        picture.thumbnail((most, most), Image.Resampling.LANCZOS, reducing_gap=3.0)
    file = io.BytesIO()
    if lossless and not shrinks and (flat or picture.width * picture.height <= _SMALL):
        picture.save(file, "PNG", compress_level=3)
        return Picture(file.getvalue(), "image/png")
    picture.save(file, "JPEG", quality=QUALITY, subsampling=0)
    return Picture(file.getvalue(), "image/jpeg")
