import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cv_pipelines.errors import InputError
from cv_pipelines.images.resize import decode_for_model
from cv_pipelines.images.stored import StoredImages
from cv_pipelines.models import pixel_cache
from cv_pipelines.models.pixel_cache import PixelCache, open_cache
from cv_pipelines.progress import silent
from cv_pipelines.storage.local import LocalStore

SIZE = 10
RECORD = SIZE * SIZE * 3


@pytest.fixture(scope="module")
def image_ids(colour_images: StoredImages) -> list[str]:
    ids: list[str] = colour_images.ids.to_pylist()
    return ids


@pytest.fixture(scope="module")
def opened(
    colour_images: StoredImages, image_ids: list[str], tmp_path_factory: pytest.TempPathFactory
) -> PixelCache:
    return open_cache(tmp_path_factory.mktemp("pixels"), colour_images, image_ids, SIZE, silent)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 71), max_size=20))
def test_reads_in_any_order_give_the_decoded_images(
    colour_images: StoredImages, image_ids: list[str], opened: PixelCache, order: list[int]
) -> None:
    found = opened.read(np.array(order, np.int64))
    assert found.shape == (len(order), SIZE, SIZE, 3)
    assert found.dtype == np.uint8
    for pixels, index in zip(found, order, strict=True):
        expected = decode_for_model(colour_images.read(image_ids[index]), SIZE)
        np.testing.assert_array_equal(pixels, expected)


def test_the_cache_counts_its_images(opened: PixelCache) -> None:
    assert (opened.count, opened.size) == (72, SIZE)


def test_a_cache_that_is_there_is_used_without_the_store(
    colour_images: StoredImages, image_ids: list[str], tmp_path: Path
) -> None:
    told: list[tuple[str, int, int | None]] = []

    def tell(stage: str, done: int, total: int | None = None) -> None:
        told.append((stage, done, total))

    open_cache(tmp_path / "cache", colour_images, image_ids, SIZE, tell).close()
    assert told == [("decoding for training", 64, 72), ("decoding for training", 72, 72)]
    nowhere = replace(colour_images, store=LocalStore(tmp_path / "nothing"))
    again = open_cache(tmp_path / "cache", nowhere, image_ids, SIZE, tell)
    assert again.count == 72
    assert len(told) == 2


@pytest.mark.parametrize(("first", "size"), [(1, SIZE), (0, SIZE + 1)])
def test_other_images_or_another_size_have_a_cache_of_their_own(
    colour_images: StoredImages, image_ids: list[str], tmp_path: Path, first: int, size: int
) -> None:
    open_cache(tmp_path, colour_images, image_ids[:5], SIZE, silent).close()
    assert open_cache(tmp_path, colour_images, image_ids[first:5], size, silent).count == 5 - first
    assert len(list(tmp_path.iterdir())) == 2


def test_decoding_that_fails_leaves_nothing_behind(
    colour_images: StoredImages, image_ids: list[str], tmp_path: Path
) -> None:
    with pytest.raises(InputError):
        open_cache(tmp_path, colour_images, [*image_ids, "0" * 64], SIZE, silent)
    assert list(tmp_path.iterdir()) == []


def fill(folder: Path, images: StoredImages, ids: Sequence[str], used_at: int) -> Path:
    """A cache that was last used at a time; returns its file."""
    before = set(folder.glob("*"))
    open_cache(folder, images, ids, SIZE, silent).close()
    (path,) = set(folder.glob("*")) - before
    os.utime(path, (used_at, used_at))
    return path


def test_room_is_made_by_deleting_what_is_longest_unused(
    colour_images: StoredImages, image_ids: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pixel_cache, "_KEEP_BYTES", 10 * RECORD)
    oldest = fill(tmp_path, colour_images, image_ids[0:3], used_at=1000)
    used = fill(tmp_path, colour_images, image_ids[1:4], used_at=900)
    newest = fill(tmp_path, colour_images, image_ids[2:5], used_at=2000)
    open_cache(tmp_path, colour_images, image_ids[1:4], SIZE, silent).close()
    latest = fill(tmp_path, colour_images, image_ids[3:6], used_at=3000)
    assert not oldest.exists()
    assert all(path.exists() for path in (used, newest, latest))


def test_a_cache_in_use_can_be_read_after_room_was_made(
    colour_images: StoredImages, image_ids: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pixel_cache, "_KEEP_BYTES", RECORD)
    opened = open_cache(tmp_path, colour_images, image_ids[:3], SIZE, silent)
    before = opened.read(np.arange(3))
    open_cache(tmp_path, colour_images, image_ids[3:6], SIZE, silent).close()
    assert len(list(tmp_path.iterdir())) == 1
    np.testing.assert_array_equal(opened.read(np.arange(3)), before)


def test_a_cache_that_was_cut_off_is_not_taken_for_images(
    colour_images: StoredImages, image_ids: list[str], tmp_path: Path
) -> None:
    path = fill(tmp_path, colour_images, image_ids[:3], used_at=1000)
    expected = decode_for_model(colour_images.read(image_ids[2]), SIZE)
    os.truncate(path, RECORD)
    found = open_cache(tmp_path, colour_images, image_ids[:3], SIZE, silent)
    np.testing.assert_array_equal(found.read(np.array([2])), expected[None])
