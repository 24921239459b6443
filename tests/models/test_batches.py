import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cv_pipelines.models.batches import CachedBatches
from cv_pipelines.models.pixel_cache import PixelCache

COUNT = 40
LABELS = np.arange(COUNT, dtype=np.int64) * 2


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> PixelCache:
    """Image i has i as its only colour."""
    path = tmp_path_factory.mktemp("cache") / "numbered.rgb"
    path.write_bytes(np.repeat(np.arange(COUNT, dtype=np.uint8), 2 * 2 * 3).tobytes())
    return PixelCache(path, 2)


def batches(
    cache: PixelCache, rows: list[int], batch: int, seed: int | None = None, epoch: int = 0, steps: int = 1
) -> CachedBatches:
    return CachedBatches(cache, np.array(rows, np.int64), LABELS[rows], batch, seed, epoch, steps)


def epoch_of(found: CachedBatches) -> list[list[int]]:
    """Which images each batch of the present epoch holds, once the labels are known to be theirs."""
    shown = []
    for place in range(len(found)):
        pixels, labels = found[place]
        ids = pixels[:, 0, 0, 0].astype(int)
        np.testing.assert_array_equal(pixels, np.broadcast_to(ids[:, None, None, None], pixels.shape))
        np.testing.assert_array_equal(labels, LABELS[ids])
        shown.append(ids.tolist())
    return shown


@settings(deadline=None)
@given(
    st.sets(st.integers(0, COUNT - 1), min_size=1),
    st.integers(1, 50),
    st.one_of(st.none(), st.integers(0, 2**32)),
    st.integers(0, 9),
)
def test_an_epoch_shows_every_image_exactly_once(
    cache: PixelCache, rows: set[int], batch: int, seed: int | None, epoch: int
) -> None:
    shown = epoch_of(batches(cache, sorted(rows), batch, seed, epoch))
    assert sorted(image for part in shown for image in part) == sorted(rows)
    assert all(len(part) == batch for part in shown[:-1])
    assert 1 <= len(shown[-1]) <= batch


@settings(deadline=None)
@given(st.sets(st.integers(0, COUNT - 1), min_size=1), st.integers(1, 12), st.integers(1, 20))
def test_few_images_are_shown_as_often_as_it_takes_and_each_as_often_as_any_other(
    cache: PixelCache, rows: set[int], batch: int, steps: int
) -> None:
    found = batches(cache, sorted(rows), batch, seed=1, steps=steps)
    shown = [image for part in epoch_of(found) for image in part]
    assert len(found) >= steps
    assert len(shown) == found.images <= (steps - 1) * batch + len(rows)
    for first in range(0, len(shown), len(rows)):
        assert set(shown[first : first + len(rows)]) == rows


def test_without_a_seed_the_order_stays(cache: PixelCache) -> None:
    found = batches(cache, [5, 3, 9], 2)
    assert epoch_of(found) == [[5, 3], [9]]
    found.on_epoch_end()
    assert epoch_of(found) == [[5, 3], [9]]


def test_each_epoch_and_each_seed_has_an_order_of_its_own(cache: PixelCache) -> None:
    orders = [
        epoch_of(batches(cache, list(range(COUNT)), 8, seed, epoch)) for seed in range(3) for epoch in range(3)
    ]
    assert len({str(order) for order in orders}) == 9


@given(st.integers(0, 1000), st.integers(0, 5))
def test_a_training_that_resumes_at_an_epoch_sees_the_order_it_would_have_seen(
    cache: PixelCache, seed: int, epoch: int
) -> None:
    uninterrupted = batches(cache, list(range(COUNT)), 7, seed)
    for _ in range(epoch):
        uninterrupted.on_epoch_end()
    np.random.default_rng().random()
    assert epoch_of(batches(cache, list(range(COUNT)), 7, seed, epoch)) == epoch_of(uninterrupted)
