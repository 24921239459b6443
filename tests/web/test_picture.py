"""Pictures at full size: upright, nothing but pixels, and only of what may be shown."""

import io
from collections.abc import Callable
from pathlib import Path

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from cv_pipelines.database.tables import forgotten_images
from cv_pipelines.images.picture import picture_file
from tests.web_site import Site, fill

Encode = Callable[..., bytes]


@pytest.fixture(scope="module")
def turned(site: Site, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, NDArray[np.uint8]]:
    """The id of a photo that was taken on its side, in the data set `turned`, and its pixels upright."""
    folder: Path = tmp_path_factory.mktemp("turned")
    upright = np.zeros((60, 40, 3), np.uint8)
    upright[:30, :20] = (250, 10, 10)
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "a camera"
    Image.fromarray(np.rot90(upright).copy()).save(folder / "photo.jpg", quality=95, subsampling=0, exif=exif)
    return fill(site.catalog, "turned", folder)[0], upright


@pytest.fixture
def viewer(site: Site, client: httpx.Client) -> httpx.Client:
    client.headers.update(site.bearer("viewer"))
    return client


def test_a_picture_is_upright_and_holds_nothing_but_pixels(
    viewer: httpx.Client, turned: tuple[str, NDArray[np.uint8]]
) -> None:
    image, upright = turned
    answer = viewer.get(f"/datasets/turned/images/{image}/picture")
    picture = Image.open(io.BytesIO(answer.content))

    assert (answer.headers["Content-Type"], picture.format, picture.size) == ("image/jpeg", "JPEG", (40, 60))
    assert not picture.getexif()
    assert b"camera" not in answer.content
    assert np.abs(np.asarray(picture, int) - upright).mean() < 3


def test_browsers_keep_it_and_ask_whether_they_still_may(
    viewer: httpx.Client, turned: tuple[str, NDArray[np.uint8]]
) -> None:
    address = f"/datasets/turned/images/{turned[0]}/picture"
    first = viewer.get(address)
    tag = {"If-None-Match": first.headers["ETag"]}

    assert first.headers["Cache-Control"].startswith("private")
    assert viewer.get(address, headers=tag).status_code == 304
    assert viewer.get(address, params={"size": 512}, headers=tag).status_code == 200
    assert viewer.get(address, params={"size": 100_000}).status_code == 422


def test_it_is_for_those_who_may_look_and_of_this_data_set(
    client: httpx.Client, site: Site, turned: tuple[str, NDArray[np.uint8]]
) -> None:
    assert client.get(f"/datasets/turned/images/{turned[0]}/picture").status_code == 401
    client.headers.update(site.bearer("viewer"))
    assert client.get(f"/datasets/shapes/images/{turned[0]}/picture").status_code == 404


def test_a_forgotten_image_is_shown_from_no_cache(
    site: Site, viewer: httpx.Client, turned: tuple[str, NDArray[np.uint8]]
) -> None:
    address = f"/datasets/turned/images/{turned[0]}/picture"
    tag = {"If-None-Match": viewer.get(address).headers["ETag"]}
    with site.catalog.database.begin() as connection:
        connection.execute(forgotten_images.insert().values(image_id=turned[0], who="test", why="asked"))

    assert [viewer.get(address).status_code, viewer.get(address, headers=tag).status_code] == [404, 404]


def test_small_pictures_without_loss_stay_so(picture: Callable[..., NDArray[np.uint8]], encode: Encode) -> None:
    pixels = picture(3, 120, 90)
    made = picture_file(encode(pixels, "BMP"), 4096)

    assert made.media_type == "image/png"
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(made.data))), pixels)


def test_large_ones_are_jpegs_that_fit(picture: Callable[..., NDArray[np.uint8]], encode: Encode) -> None:
    made = picture_file(encode(picture(3, 1500, 1000)), 600)

    assert made.media_type == "image/jpeg"
    assert Image.open(io.BytesIO(made.data)).size == (600, 400)


def test_few_colours_stay_without_loss_whatever_the_size(encode: Encode) -> None:
    mask = Image.new("P", (1500, 1000))
    mask.putpalette([0, 0, 0, 200, 30, 30])
    made = picture_file(encode(mask), 4096)

    assert made.media_type == "image/png"
