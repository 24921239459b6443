import io
import struct
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from cv_pipelines.errors import InputError
from cv_pipelines.images.decode import Pixels, decode_image, decode_opened
from cv_pipelines.images.header import FORMATS, MAX_PIXELS, MOST_PIXELS, Header, open_image, read_header

Encode = Callable[..., bytes]
Picture = Callable[..., NDArray[np.uint8]]
BLACK = np.zeros((20, 40, 3), np.uint8)


def png_of_size(width: int, height: int) -> bytes:
    """A PNG that claims a size and has next to no pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\x00" * 100)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def header_of(data: bytes) -> Header:
    return read_header(open_image(data))


def code_of(data: bytes) -> str:
    with pytest.raises(InputError) as caught:
        header_of(data)
    assert caught.value.user_message
    return caught.value.code


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_of_the_list_is_known(encode: Encode, kind: str) -> None:
    header = header_of(encode(BLACK, kind))

    assert (header.format, header.width, header.height, header.orientation) == (kind, 40, 20, 1)


@pytest.mark.parametrize(("mode", "channels"), [("L", 1), ("RGB", 3), ("RGBA", 4), ("P", 1), ("1", 1)])
def test_channels_are_those_of_the_file(encode: Encode, mode: str, channels: int) -> None:
    assert header_of(encode(Image.new(mode, (4, 3)))) == Header("PNG", 4, 3, channels, 1)


@pytest.mark.parametrize("kind", ["ICO", "PPM", "TGA", "EPS", "PDF"])
def test_a_format_that_is_not_on_the_list_is_refused(encode: Encode, kind: str) -> None:
    assert code_of(encode(BLACK, kind)) == "not_an_image"


@pytest.mark.parametrize("data", [b"hello", b"\x00" * 1000, b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"<svg/>"])
def test_what_is_no_image_is_refused(data: bytes) -> None:
    assert code_of(data) == "not_an_image"


def test_an_empty_file_is_called_empty() -> None:
    assert code_of(b"") == "empty"


def test_the_name_of_a_format_does_not_matter_the_bytes_do(encode: Encode) -> None:
    assert header_of(encode(BLACK, "GIF")).format == "GIF"


def test_too_many_pixels_are_refused_from_the_header_alone() -> None:
    with pytest.raises(InputError, match="60000 x 60000 pixels; at most 100 million") as caught:
        header_of(png_of_size(60_000, 60_000))

    assert caught.value.code == "too_many_pixels"


def test_the_limit_is_one_of_pixels_not_of_sides() -> None:
    side = int(MAX_PIXELS**0.5)

    assert (header_of(png_of_size(side, side)).width, side * side) == (side, MAX_PIXELS)
    assert code_of(png_of_size(side + 1, side)) == "too_many_pixels"
    assert header_of(png_of_size(1_000_000, 3)).width == 1_000_000


def test_a_file_that_a_person_wants_may_have_more_pixels_but_not_any_number_of_them() -> None:
    wanted, monstrous = png_of_size(20_000, 20_000), png_of_size(20_001, 20_000)

    assert read_header(open_image(wanted), MOST_PIXELS).width == 20_000
    with pytest.raises(InputError, match="20001 x 20000 pixels; at most 400 million") as caught:
        read_header(open_image(monstrous), MOST_PIXELS)
    assert caught.value.code == "too_many_pixels"


@pytest.mark.parametrize("size", [(0, 5), (5, 0)])
def test_an_image_without_pixels_is_refused(size: tuple[int, int]) -> None:
    assert code_of(png_of_size(*size)) in ("no_pixels", "not_an_image")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_size_is_that_of_the_upright_picture(encode: Encode, kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encode(BLACK, kind, exif=exif)

    header = header_of(data)

    assert (header.height, header.width) == ((40, 20) if orientation >= 5 else (20, 40))
    assert decode_image(data).shape[:2] == (header.height, header.width)
    assert header.orientation == orientation


@pytest.mark.parametrize("kind", ["GIF", "MPO", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("frames", [1, 3])
def test_an_animation_is_its_first_frame_and_says_how_many_there_are(
    picture: Picture, encode: Encode, kind: str, frames: int
) -> None:
    first, *others = (Image.fromarray(picture(seed, 40, 20)) for seed in range(frames))
    lossless = {"lossless": True} if kind == "WEBP" else {}
    animation = encode(first, kind, save_all=True, append_images=others, **lossless)

    header = header_of(animation)

    assert (header.width, header.height, header.frames) == (40, 20, frames)
    assert np.array_equal(decode_image(animation), decode_image(encode(first, kind, **lossless)))


MANGLED = st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=3)


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@settings(max_examples=150)
@given(st.sampled_from(["raw", "tiff_lzw", "tiff_adobe_deflate"]), st.floats(0.5, 1), MANGLED)
def test_a_broken_later_page_never_changes_what_the_first_one_shows(
    picture: Picture, encode: Encode, compression: str, kept: float, mangled: list[tuple[float, int]]
) -> None:
    pages = [Image.fromarray(picture(seed, 30, 20)) for seed in range(4)]
    data = bytearray(encode(pages[0], "TIFF", save_all=True, append_images=pages[1:], compression=compression))
    for place, value in mangled:
        data[int(place * len(data))] = value
    file = bytes(data[: int(kept * len(data))])

    def after_the_header() -> Pixels:
        image = open_image(file)
        read_header(image, most_pixels=10**6)
        return decode_opened(image)

    def alone() -> Pixels:
        assume(np.prod(open_image(file).size) <= 10**6)
        return decode_image(file)

    assert seen(after_the_header) == seen(alone)


def seen(decode: Callable[[], Pixels]) -> str:
    """The pixels, or why there are none."""
    try:
        pixels = decode()
        return f"{pixels.shape} {pixels.tobytes().hex()}"
    except InputError as error:
        return error.code


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_an_orientation_that_makes_no_sense_is_none(encode: Encode, value: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = value

    assert header_of(encode(BLACK, "JPEG", exif=exif)) == Header("JPEG", 40, 20, 3, 1)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_broken_metadata_does_not_make_an_image_unusable(encode: Encode) -> None:
    data = encode(BLACK, "JPEG", exif=b"Exif\x00\x00MM\x00\x2a\xff\xff\xff\xff broken")

    assert header_of(data) == Header("JPEG", 40, 20, 3, 1)
    assert decode_image(data).shape == (20, 40, 3)


@settings(max_examples=200, deadline=None)
@given(exif=st.binary(max_size=200))
@pytest.mark.filterwarnings("ignore")
def test_whatever_stands_in_the_metadata_the_size_is_known(exif: bytes) -> None:
    file = io.BytesIO()
    Image.fromarray(BLACK).save(file, "JPEG", exif=b"Exif\x00\x00II*\x00\x08\x00\x00\x00" + exif)

    header = header_of(file.getvalue())

    assert {header.width, header.height} == {40, 20}


def test_that_there_is_no_memory_is_no_fault_of_the_files(encode: Encode, monkeypatch: pytest.MonkeyPatch) -> None:
    image = open_image(encode(BLACK, "JPEG"))

    def full(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(image, "getexif", full)

    with pytest.raises(MemoryError):
        read_header(image)
