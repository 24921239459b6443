import struct
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from cv_pipelines.errors import InputError
from cv_pipelines.images.decode import decode_image
from cv_pipelines.images.header import FORMATS, MAX_PIXELS, Header, read_header

BLACK = np.zeros((20, 40, 3), np.uint8)


def png_of_size(width: int, height: int) -> bytes:
    """A PNG that claims a size and has next to no pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\x00" * 100)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def code_of(data: bytes) -> str:
    with pytest.raises(InputError) as caught:
        read_header(data)
    assert caught.value.user_message
    return caught.value.code


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_of_the_list_is_known(encode: Callable[..., bytes], kind: str) -> None:
    header = read_header(encode(BLACK, kind))

    assert (header.format, header.width, header.height, header.orientation) == (kind, 40, 20, 1)


@pytest.mark.parametrize(("mode", "channels"), [("L", 1), ("RGB", 3), ("RGBA", 4), ("P", 1), ("1", 1)])
def test_channels_are_those_of_the_file(encode: Callable[..., bytes], mode: str, channels: int) -> None:
    assert read_header(encode(Image.new(mode, (4, 3)))) == Header("PNG", 4, 3, channels, 1)


@pytest.mark.parametrize("kind", ["ICO", "PPM", "TGA", "EPS", "PDF"])
def test_a_format_that_is_not_on_the_list_is_refused(encode: Callable[..., bytes], kind: str) -> None:
    assert code_of(encode(BLACK, kind)) == "not_an_image"


@pytest.mark.parametrize("data", [b"hello", b"\x00" * 1000, b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"<svg/>"])
def test_what_is_no_image_is_refused(data: bytes) -> None:
    assert code_of(data) == "not_an_image"


def test_an_empty_file_is_called_empty() -> None:
    assert code_of(b"") == "empty"


def test_the_name_of_a_format_does_not_matter_the_bytes_do(encode: Callable[..., bytes]) -> None:
    assert read_header(encode(BLACK, "GIF")).format == "GIF"


def test_too_many_pixels_are_refused_from_the_header_alone() -> None:
    with pytest.raises(InputError, match="60000 x 60000 pixels; at most 100 million") as caught:
        read_header(png_of_size(60_000, 60_000))

    assert caught.value.code == "too_many_pixels"


def test_the_limit_is_one_of_pixels_not_of_sides() -> None:
    side = int(MAX_PIXELS**0.5)

    assert (read_header(png_of_size(side, side)).width, side * side) == (side, MAX_PIXELS)
    assert code_of(png_of_size(side + 1, side)) == "too_many_pixels"
    assert read_header(png_of_size(1_000_000, 3)).width == 1_000_000


@pytest.mark.parametrize("size", [(0, 5), (5, 0)])
def test_an_image_without_pixels_is_refused(size: tuple[int, int]) -> None:
    assert code_of(png_of_size(*size)) in ("no_pixels", "not_an_image")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_size_is_that_of_the_upright_picture(
    encode: Callable[..., bytes], kind: str, orientation: int
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encode(BLACK, kind, exif=exif)

    header = read_header(data)

    assert (header.height, header.width) == ((40, 20) if orientation >= 5 else (20, 40))
    assert decode_image(data).shape[:2] == (header.height, header.width)
    assert header.orientation == orientation


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_an_orientation_that_makes_no_sense_is_none(encode: Callable[..., bytes], value: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = value

    assert read_header(encode(BLACK, "JPEG", exif=exif)) == Header("JPEG", 40, 20, 3, 1)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_broken_metadata_does_not_make_an_image_unusable(encode: Callable[..., bytes]) -> None:
    data = encode(BLACK, "JPEG", exif=b"Exif\x00\x00MM\x00\x2a\xff\xff\xff\xff broken")

    assert read_header(data) == Header("JPEG", 40, 20, 3, 1)
    assert decode_image(data).shape == (20, 40, 3)
