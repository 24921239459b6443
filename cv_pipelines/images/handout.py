"""Image files as they leave the platform: upright, and silent about who took them, when and where."""

import io
import struct
from collections.abc import Iterator
from typing import Any

from PIL import Image

from cv_pipelines.images.decode import decode_image
from cv_pipelines.images.header import open_image, read_orientation

_JPEG_START = b"\xff\xd8"
_PNG_START = b"\x89PNG\r\n\x1a\n"
_SCAN = 0xDA
_TELLING = {0xE1, *range(0xE3, 0xEE), 0xEF, 0xFE}
"""JPEG's segments that are none of JFIF (E0), colour profile (E2), Adobe's colours (EE), or the image itself."""
_TELLING_CHUNKS = {b"eXIf", b"tEXt", b"zTXt", b"iTXt", b"tIME"}
_TELLING_INFO = {"exif", "xmp", "comment"}
_TELLING_TAGS = {0x010E, 0x010F, 0x0110, 0x0132, 0x013B, 0x02BC, 0x8298, 0x83BB, 0x8769, 0x8825}
"""TIFF's description, camera, time, artist, XMP, copyright, IPTC, Exif and place."""


def handed_out(data: bytes) -> bytes:
    """A file without metadata, of the same format.

    An upright JPEG or PNG keeps its pixels bit by bit (only its segments, ITU T.81, or chunks, RFC 2083, are
    left out). What lies on its side, and other formats that carry metadata, are written anew, JPEG at quality 95.

    Raises:
        InputError: it is no image.
    """
    image = open_image(data)
    upright = read_orientation(image) == 1
    if upright and image.format == "JPEG":
        return _JPEG_START + b"".join(_segments(data))
    if upright and image.format == "PNG":
        return _PNG_START + b"".join(_chunks(data))
    tags = image.getexif().keys() if image.format == "TIFF" else ()
    if (
        upright
        and image.format != "MPO"
        and not _TELLING_INFO & image.info.keys()
        and not _TELLING_TAGS & set(tags)
    ):
        return data
    return _written_anew(data, "JPEG" if image.format == "MPO" else str(image.format))


def _segments(data: bytes) -> Iterator[bytes]:
    """Segments of a JPEG that say how it looks; from the first scan on all is the image."""
    at = len(_JPEG_START)
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] != _SCAN:
        length = 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if data[at + 1] not in _TELLING:
            yield data[at : at + length]
        at += length
    yield data[at:]


def _chunks(data: bytes) -> Iterator[bytes]:
    """Chunks of a PNG that say how it looks."""
    at = len(_PNG_START)
    while at + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        if kind not in _TELLING_CHUNKS:
            yield data[at : at + 12 + length]
        at += 12 + length


def _written_anew(data: bytes, kind: str) -> bytes:
    buffer = io.BytesIO()
    options: dict[str, dict[str, Any]] = {"JPEG": {"quality": 95, "subsampling": 0}, "WEBP": {"lossless": True}}
    Image.fromarray(decode_image(data)).save(buffer, kind, **options.get(kind, {}))
    return buffer.getvalue()
