"""Batches for training, in an order that depends on seed and epoch alone."""

import keras
import numpy as np
from numpy.typing import NDArray

from cv_pipelines.images.decode import Pixels
from cv_pipelines.models.pixel_cache import PixelCache


class CachedBatches(keras.utils.PyDataset):  # type: ignore[misc]  # keras has no types
    """Batches of (pixels uint8 (n, size, size, 3), class indices int (n,)) from a cache.

    Args:
        cache: the pixels.
        indices: which records of the cache.
        labels: class index of each of them.
        batch: images a batch; the last one may hold fewer.
        seed: shuffles; None keeps the order.
        steps: batches an epoch, at least: few images are shown several times, each time all of them.
        epoch: the epoch that comes first (a resumed training goes on with its own order).
    """

    def __init__(
        self,
        cache: PixelCache,
        indices: NDArray[np.int64],
        labels: NDArray[np.int64],
        batch: int,
        seed: int | None = None,
        epoch: int = 0,
        steps: int = 1,
    ) -> None:
        super().__init__()
        self._cache, self._indices, self._labels = cache, indices, labels
        self._batch, self._seed, self._epoch = batch, seed, epoch
        self._rounds = (steps - 1) * batch // max(1, len(indices)) + 1
        self._order = self._shuffled()

    def __len__(self) -> int:
        """Batches an epoch."""
        return -(-self.images // self._batch)

    @property
    def images(self) -> int:
        """Shown in an epoch."""
        return len(self._order)

    def __getitem__(self, position: int) -> tuple[Pixels, NDArray[np.int64]]:
        """One batch."""
        chosen = self._order[position * self._batch : (position + 1) * self._batch]
        return self._cache.read(self._indices[chosen]), self._labels[chosen]

    def on_epoch_end(self) -> None:
        """Shuffle for the next epoch."""
        self._epoch += 1
        self._order = self._shuffled()

    def _shuffled(self) -> NDArray[np.int64]:
        rounds = np.tile(np.arange(len(self._indices)), (self._rounds, 1))
        if self._seed is not None:
            rounds = np.random.default_rng([self._seed, self._epoch]).permuted(rounds, axis=1)
        return rounds.ravel()
