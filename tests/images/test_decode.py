from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from cv_pipelines.errors import InputError
from cv_pipelines.images.decode import decode_image

Encode = Callable[..., bytes]
Picture = Callable[..., NDArray[np.uint8]]
WHITE = (255, 255, 255)

# how to lay an upright picture down so that the orientation brings it up again (Exif 2.32, 4.6.4 A)
LAY_DOWN: dict[int, Callable[[NDArray[np.uint8]], NDArray[Any]]] = {
    1: lambda upright: upright,
    2: lambda upright: upright[:, ::-1],
    3: lambda upright: upright[::-1, ::-1],
    4: lambda upright: upright[::-1],
    5: lambda upright: upright.transpose(1, 0, 2),
    6: lambda upright: np.rot90(upright, 1),
    7: lambda upright: upright[::-1, ::-1].transpose(1, 0, 2),
    8: lambda upright: np.rot90(upright, -1),
}


def laid_down(upright: NDArray[np.uint8], orientation: int) -> tuple[NDArray[np.uint8], Image.Exif]:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return np.ascontiguousarray(LAY_DOWN[orientation](upright)), exif


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
@pytest.mark.parametrize("orientation", LAY_DOWN)
def test_every_orientation_gives_the_upright_picture(
    picture: Picture, encode: Encode, kind: str, orientation: int
) -> None:
    upright = picture(1, 48, 20)
    pixels, exif = laid_down(upright, orientation)

    assert np.array_equal(decode_image(encode(pixels, kind, exif=exif)), upright)


@pytest.mark.parametrize("orientation", LAY_DOWN)
def test_a_jpeg_that_lies_on_its_side_comes_up_at_every_scale(
    picture: Picture, encode: Encode, orientation: int
) -> None:
    upright = picture(2, 640, 320)
    pixels, exif = laid_down(upright, orientation)
    data = encode(pixels, "JPEG", exif=exif, quality=95)

    whole, half = decode_image(data), decode_image(data, at_least=160)

    assert whole.shape == (320, 640, 3)
    assert half.shape == (160, 320, 3)
    assert np.abs(whole.astype(int) - upright).mean() < 4
    assert np.abs(half.astype(int) - upright[::2, ::2]).mean() < 8


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA", "CMYK", "I;16", "I", "F"])
def test_every_mode_gives_rgb_of_8_bits(encode: Encode, mode: str) -> None:
    data = encode(Image.new(mode, (7, 5)), "TIFF" if mode in ("CMYK", "I", "F") else "PNG")

    pixels = decode_image(data)

    assert (pixels.shape, pixels.dtype) == ((5, 7, 3), np.dtype(np.uint8))


def test_cmyk_gives_the_colours_that_were_meant(encode: Encode) -> None:
    inks = Image.new("CMYK", (32, 16))
    inks.paste((0, 255, 255, 0), (0, 0, 16, 16))  # magenta and yellow: red
    inks.paste((0, 0, 0, 255), (16, 0, 32, 16))  # black

    pixels = decode_image(encode(inks, "JPEG", quality=95)).astype(int)

    assert np.abs(pixels[:, :12] - (255, 0, 0)).max() < 12
    assert np.abs(pixels[:, 20:] - (0, 0, 0)).max() < 12


def test_grey_gives_three_equal_channels(encode: Encode) -> None:
    grey = np.arange(200, dtype=np.uint8).reshape(10, 20)

    pixels = decode_image(encode(grey))

    assert all(np.array_equal(pixels[..., channel], grey) for channel in range(3))


def test_grey_of_16_bits_keeps_its_high_byte(encode: Encode) -> None:
    values = np.array([[0, 255, 256, 32768, 65535]], np.uint16)

    assert decode_image(encode(values))[0, :, 0].tolist() == [0, 0, 1, 128, 255]


def test_floats_are_spread_over_the_range_that_they_have(encode: Encode) -> None:
    values = np.array([[-1.0, 0.0, 1.0, 3.0]], np.float32)

    assert decode_image(encode(values, "TIFF"))[0, :, 0].tolist() == [0, 64, 128, 255]


def test_floats_that_are_all_equal_or_not_numbers_are_no_error(encode: Encode) -> None:
    flat = decode_image(encode(np.full((3, 4), 7.5, np.float32), "TIFF"))
    empty = decode_image(encode(np.full((3, 4), np.nan, np.float32), "TIFF"))

    assert len(np.unique(flat)) == len(np.unique(empty)) == 1


@pytest.mark.parametrize("hole", [np.nan, np.inf, -np.inf])
def test_a_missing_float_does_not_change_the_range_of_the_others(encode: Encode, hole: float) -> None:
    values = np.array([[100.0, 150.0, 200.0, hole]], np.float32)

    assert np.abs(decode_image(encode(values, "TIFF"))[0, :3, 0].astype(int) - [0, 127, 255]).max() <= 1


def test_transparency_lies_over_white(encode: Encode) -> None:
    half = np.zeros((2, 3, 4), np.uint8)
    half[0, 0] = (200, 0, 0, 255)
    half[0, 1] = (200, 0, 0, 128)

    pixels = decode_image(encode(half))

    assert tuple(pixels[0, 0]) == (200, 0, 0)
    assert np.abs(pixels[0, 1].astype(int) - (227, 127, 127)).max() <= 1
    assert tuple(pixels[1, 1]) == WHITE


@pytest.mark.parametrize("kind", ["PNG", "GIF"])
def test_a_transparent_entry_of_a_palette_is_white(encode: Encode, kind: str) -> None:
    image = Image.new("P", (4, 2), 1)
    image.putpalette([10, 20, 30, 200, 100, 50])
    image.putpixel((0, 0), 0)

    pixels = decode_image(encode(image, kind, transparency=0))

    assert tuple(pixels[0, 0]) == WHITE
    assert tuple(pixels[1, 3]) == (200, 100, 50)


@pytest.mark.parametrize(("mode", "colour"), [("L", 7), ("RGB", (9, 8, 7))])
def test_a_colour_that_stands_for_transparent_is_white(encode: Encode, mode: str, colour: Any) -> None:
    image = Image.new(mode, (4, 2), "black")
    image.putpixel((1, 1), colour)

    pixels = decode_image(encode(image, transparency=colour))

    assert tuple(pixels[1, 1]) == WHITE
    assert tuple(pixels[0, 0]) == (0, 0, 0)


@pytest.mark.parametrize(("kind", "options"), [("TIFF", {}), ("PNG", {}), ("WEBP", {"lossless": True})])
def test_the_first_frame_of_an_animation_is_taken(
    picture: Picture, encode: Encode, kind: str, options: dict[str, Any]
) -> None:
    first, second = Image.fromarray(picture(1)), Image.fromarray(picture(2))

    data = encode(first, kind, save_all=True, append_images=[second], **options)

    assert np.array_equal(decode_image(data), np.asarray(first))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "BMP", "WEBP"])
@pytest.mark.parametrize("share", [0.5, 0.9])
def test_a_truncated_file_is_refused(picture: Picture, encode: Encode, kind: str, share: float) -> None:
    data = encode(picture(3), kind)

    with pytest.raises(InputError, match=r"Cannot be decoded|Not a .* image") as caught:
        decode_image(data[: int(len(data) * share)])

    # Pillow parses a WebP as a whole, when it is opened
    assert caught.value.code == ("not_an_image" if kind == "WEBP" else "undecodable")


@given(st.integers(0, 5), st.integers(8, 700), st.integers(8, 700), st.integers(8, 300))
def test_at_least_gives_at_least_that_size_and_the_same_picture(
    picture: Picture, encode: Encode, seed: int, width: int, height: int, at_least: int
) -> None:
    upright = picture(seed, width, height)
    data = encode(upright, "JPEG", quality=90)

    pixels = decode_image(data, at_least=at_least)

    assert min(pixels.shape[:2]) >= min(at_least, width, height)
    scale = width / pixels.shape[1]
    assert abs(height / pixels.shape[0] - scale) <= 8 * scale / min(pixels.shape[:2])
    assert np.abs(pixels.mean((0, 1)) - upright.mean((0, 1))).max() < 6


def test_a_large_jpeg_is_decoded_smaller_when_that_is_enough(picture: Picture, encode: Encode) -> None:
    data = encode(picture(1, 1600, 800), "JPEG")

    assert decode_image(data, at_least=100).shape == (100, 200, 3)
    assert decode_image(data, at_least=101).shape == (200, 400, 3)
    assert decode_image(data, at_least=2000).shape == (800, 1600, 3)


def test_memory_that_runs_out_is_not_the_fault_of_the_file(
    encode: Encode, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run_out(_: object) -> object:
        raise MemoryError

    monkeypatch.setattr("cv_pipelines.images.decode._to_rgb", run_out)

    with pytest.raises(Exception) as caught:  # noqa: PT011 - which one is the point
        decode_image(encode(np.zeros((4, 4, 3), np.uint8)))

    assert not isinstance(caught.value, InputError)
