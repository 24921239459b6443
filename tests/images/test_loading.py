from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from cv_pipelines.errors import InfrastructureError, InputError
from cv_pipelines.images.loading import pixel_batches
from cv_pipelines.images.resize import decode_for_model, resize
from cv_pipelines.images.stored import StoredImages
from cv_pipelines.storage.local import LocalStore

Encode = Callable[..., bytes]
Picture = Callable[..., NDArray[np.uint8]]


@pytest.fixture
def images(
    tmp_path: Path, picture: Picture, encode: Encode, store_images: Callable[..., StoredImages]
) -> StoredImages:
    kinds = ("JPEG", "PNG")
    files = {f"{at:02}": encode(picture(at, 100 + at, 60), kinds[at % 2]) for at in range(23)}
    return store_images(LocalStore(tmp_path / "store"), files)


@pytest.mark.parametrize("batch", [1, 4, 23, 100])
def test_batches_hold_the_images_in_their_order(images: StoredImages, batch: int) -> None:
    ids = [f"{number:02}" for number in (5, 3, 22, 5, *range(23))]

    batches = list(pixel_batches(images, ids, size=16, batch=batch))

    assert [len(one) for one in batches[:-1]] == [batch] * (len(batches) - 1)
    assert all(one.dtype == np.uint8 and one.shape[1:] == (16, 16, 3) for one in batches)
    expected = [decode_for_model(images.read(name), 16) for name in ids]
    assert np.array_equal(np.concatenate(batches), np.stack(expected))


def test_without_images_there_are_no_batches(images: StoredImages) -> None:
    assert list(pixel_batches(images, [], size=16, batch=4)) == []


def test_an_image_that_there_is_none_of_is_an_error_not_a_gap(images: StoredImages) -> None:
    with pytest.raises(InputError, match="no image 'gone'"):
        list(pixel_batches(images, ["01", "gone", "02"], size=16, batch=2))


def test_images_that_the_store_has_lost_are_an_error_not_a_gap(images: StoredImages) -> None:
    (pack,) = images.store.objects("packs/")
    images.store.delete(pack.key)

    with pytest.raises(InfrastructureError, match=pack.key):
        list(pixel_batches(images, ["01", "02"], size=16, batch=2))


def test_who_stops_early_gets_no_error(images: StoredImages) -> None:
    batches = pixel_batches(images, ["01", "02", "gone"], size=16, batch=1)

    assert next(batches).shape == (1, 16, 16, 3)
    batches.close()  # type: ignore[attr-defined]


def test_shrinking_takes_the_mean_so_that_fine_stripes_become_grey() -> None:
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::4] = 252

    assert np.unique(resize(stripes, 16)).tolist() == [63]


@pytest.mark.parametrize("shape", [(1, 1), (5, 300), (300, 5), (16, 16)])
def test_any_shape_is_stretched_to_the_square(shape: tuple[int, int]) -> None:
    pixels = resize(np.full((*shape, 3), 77, np.uint8), 16)

    assert pixels.dtype == np.uint8
    assert pixels.shape == (16, 16, 3)
    assert np.unique(pixels).tolist() == [77]


def test_an_image_of_the_right_size_is_left_as_it_is(picture: Picture) -> None:
    assert np.array_equal(resize(picture(1, 32, 32), 32), picture(1, 32, 32))


def test_a_model_sees_nearly_the_same_whether_a_jpeg_is_decoded_whole_or_smaller(
    picture: Picture, encode: Encode
) -> None:
    upright = picture(3, 800, 600)

    small = decode_for_model(encode(upright, "JPEG", quality=95), 64).astype(int)

    assert np.abs(small - resize(upright, 64)).mean() < 3
