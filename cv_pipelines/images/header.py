"""The header of an image file, checked before a pixel of it is decoded."""

import io
import struct
from dataclasses import dataclass

from PIL import Image

from cv_pipelines.errors import InputError

FORMATS = ("JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP")
SCALABLE = ("JPEG", "MPO")
"""Formats of which Pillow decodes less than all pixels, if asked for; MPO is a JPEG with others behind it."""
MAX_PIXELS = 100_000_000
MOST_PIXELS = 4 * MAX_PIXELS
"""Where a person has accepted a file that is over MAX_PIXELS."""
_ORIENTATION = 0x0112
_BROKEN = (
    OSError,
    EOFError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    AttributeError,
    RuntimeError,
    struct.error,
)
"""What Pillow raises over bytes that make no sense: it names no class for that. Others, such as that there is no
memory, are no fault of the file's."""

Image.MAX_IMAGE_PIXELS = None  # our own limit stands, with a message of ours


@dataclass(frozen=True)
class Header:
    """What a file says of itself: `width` and `height` in pixels as people see it, upright.

    Of an animation or a file of several pages the first of its `frames` is the image.
    """

    format: str
    width: int
    height: int
    channels: int
    orientation: int
    frames: int = 1


def open_image(data: bytes) -> Image.Image:
    """Open an image file without decoding it.

    Raises:
        InputError: code `empty` or `not_an_image`.
    """
    if not data:
        raise InputError("empty", "The file is empty.")
    try:
        return Image.open(io.BytesIO(data), formats=FORMATS)
    except Exception as error:
        message = f"Not a {', '.join(FORMATS[:-1])} or {FORMATS[-1]} image."
        raise InputError("not_an_image", message, repr(error)) from error


def read_header(image: Image.Image, most_pixels: int = MAX_PIXELS) -> Header:
    """Read the header of an opened image file.

    Raises:
        InputError: code `no_pixels` or `too_many_pixels`.
    """
    width, height = image.size
    if width < 1 or height < 1:
        raise InputError("no_pixels", "The image has no pixels.")
    if width * height > most_pixels:
        message = f"{width} x {height} pixels; at most {most_pixels // 10**6} million are decoded."
        raise InputError("too_many_pixels", message)
    orientation = read_orientation(image)
    if orientation >= 5 and image.format != "TIFF":  # on its side (Exif 2.32, table 6); Pillow turns a TIFF itself
        width, height = height, width
    return Header(str(image.format), width, height, len(image.getbands()), orientation, _frames(image))


def read_orientation(image: Image.Image) -> int:
    """The Exif orientation, 1 to 8; 1 where there is none or it makes no sense."""
    if image.format == "PNG" and "exif" not in image.info:
        return 1  # it could only stand behind the pixels, which Pillow would decode to look for it
    try:
        value = image.getexif().get(_ORIENTATION, 1)
    except _BROKEN:  # broken metadata does not make an image unusable
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _frames(image: Image.Image) -> int:
    """How many images the file holds; 1 where it does not know."""
    try:
        return int(getattr(image, "n_frames", 1))
    except _BROKEN:  # a broken later frame does not make the first one unusable
        image.seek(0)  # Pillow counts by going there, and has stopped half way
        return 1
