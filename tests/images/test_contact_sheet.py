import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from cv_pipelines.images.contact_sheet import MAX_BYTES, TILES, contact_sheet, sheet_of
from cv_pipelines.images.stored import StoredImages
from cv_pipelines.storage.local import LocalStore

Encode = Callable[..., bytes]
Picture = Callable[..., NDArray[np.uint8]]
StoreImages = Callable[..., StoredImages]


def flat(value: int, height: int = 90, width: int = 90) -> NDArray[np.uint8]:
    return np.full((height, width, 3), value, np.uint8)


def opened(sheet: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(sheet))
    assert image.format == "JPEG"
    return image


@pytest.mark.parametrize("count", [0, 1, 2, 7, TILES, 200])
def test_a_sheet_is_at_most_40_kilobytes_even_of_noise(count: int) -> None:
    random = np.random.default_rng(count)
    noise = [random.integers(0, 256, (72, 72, 3), dtype=np.uint8) for _ in range(count)]

    sheet = contact_sheet(noise)

    assert len(sheet) <= MAX_BYTES == 40 * 1024
    opened(sheet).load()


def test_a_sheet_carries_no_metadata(
    tmp_path: Path, picture: Picture, encode: Encode, store_images: StoreImages
) -> None:
    exif = Image.Exif()
    exif[0x010F], exif[0x013B] = "Camera", "Somebody's name"
    data = encode(picture(1), "JPEG", exif=exif, comment=b"a secret place", dpi=(300, 300))
    images = store_images(LocalStore(tmp_path), {"someimage": data})

    sheet = sheet_of(images, ["someimage"])

    assert dict(opened(sheet).getexif()) == {}
    assert set(opened(sheet).info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    assert b"Camera" not in sheet
    assert b"secret" not in sheet


def test_every_image_has_its_place_row_by_row() -> None:
    shades = [0, 60, 120, 180, 240]

    sheet = np.asarray(opened(contact_sheet([flat(shade) for shade in shades])).convert("L")).astype(int)

    rows, columns = sheet.shape[0] // 75, sheet.shape[1] // 75
    centres = [sheet[3 + 75 * row + 36, 3 + 75 * column + 36] for row in range(rows) for column in range(columns)]
    assert rows * columns >= len(shades)
    assert np.abs(np.array(centres[:5]) - shades).max() < 8
    assert all(rest > 245 for rest in centres[5:])


@pytest.mark.parametrize("shape", [(1, 1), (8, 8), (1, 3000), (3000, 1), (700, 300)])
def test_images_of_any_shape_fit_their_tile(shape: tuple[int, int]) -> None:
    sheet = opened(contact_sheet([flat(10, *shape)]))

    assert sheet.size == (78, 78)
    dark = np.argwhere(np.asarray(sheet.convert("L")) < 100)
    height, width = dark.max(0) - dark.min(0) + 1
    assert max(height, width) in range(70, 75)
    if shape == (700, 300):
        assert height / width == pytest.approx(7 / 3, rel=0.1)


def test_a_sheet_of_many_takes_some_evenly_from_all(
    tmp_path: Path, encode: Encode, store_images: StoreImages
) -> None:
    ids = [f"{number:03}" for number in range(250)]
    images = store_images(LocalStore(tmp_path), {name: encode(flat(at)) for at, name in enumerate(ids)})

    sheet = np.asarray(opened(sheet_of(images, ids, tiles=5)).convert("L")).astype(int)

    columns = sheet.shape[1] // 75
    centres = [sheet[39 + 75 * (at // columns), 39 + 75 * (at % columns)] for at in range(5)]
    assert np.abs(np.array(centres) - [0, 50, 100, 150, 200]).max() < 8
