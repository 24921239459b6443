"""Small pictures: they fit, they are upright, they tell nothing but pixels."""

import io
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from cv_pipelines.errors import InputError
from cv_pipelines.images.thumbnail import thumbnail_jpeg

Picture = Callable[..., NDArray[np.uint8]]


def opened(data: bytes, size: int) -> Image.Image:
    return Image.open(io.BytesIO(thumbnail_jpeg(data, size)))


@pytest.mark.parametrize(
    ("width", "height", "fits"),
    [
        (640, 480, (160, 120)),
        (480, 640, (120, 160)),
        (100, 100, (160, 160)),
        (8, 8, (160, 160)),
        (3000, 1, (160, 1)),
    ],
)
def test_the_longer_side_has_the_size(
    picture: Picture, encode: Callable[..., bytes], width: int, height: int, fits: tuple[int, int]
) -> None:
    assert opened(encode(picture(1, width, height)), 160).size == fits


def test_tiny_images_grow_by_whole_pixels(encode: Callable[..., bytes]) -> None:
    board = np.indices((8, 8)).sum(axis=0) % 2 * 255
    grown = np.asarray(opened(encode(np.repeat(board[..., None], 3, axis=2).astype(np.uint8)), 160).convert("L"))

    assert {*np.unique(grown // 128)} == {0, 1}
    assert (abs(grown.astype(int) - 127) > 90).all(), "no grey between pixels"


def test_a_turned_photo_is_upright_and_says_nothing_of_where_it_was_taken(
    picture: Picture, encode: Callable[..., bytes]
) -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "Secret camera"
    data = encode(picture(1, 640, 480), "JPEG", exif=exif, icc_profile=b"secret", comment=b"secret")
    small = thumbnail_jpeg(data, 160)

    assert Image.open(io.BytesIO(small)).size == (120, 160)
    assert b"ecret" not in small
    assert b"Exif" not in small


def test_what_is_no_image_is_refused() -> None:
    with pytest.raises(InputError):
        thumbnail_jpeg(b"<svg/>", 160)
