"""What benchmarks share: a result with its promise, and data to measure on."""

import os
import socket
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from cv_pipelines.catalog import Catalog
from cv_pipelines.database.engine import open_database
from cv_pipelines.storage.local import LocalStore


class UnavailableError(Exception):
    """Something cannot be measured here; says why."""


@dataclass(frozen=True)
class Figure:
    """One measured ratio against what is promised.

    Attributes:
        name: what is compared.
        ratio: the median over all rounds.
        spread: the smallest and the largest round.
        limit: the promise.
        at_most: the promise is an upper limit (else a lower one).
        detail: the absolute figures behind it.
    """

    name: str
    ratio: float
    spread: tuple[float, float]
    limit: float
    at_most: bool
    detail: str

    @property
    def kept(self) -> bool:
        """Say whether the promise is kept."""
        return self.ratio <= self.limit if self.at_most else self.ratio >= self.limit


def figure(name: str, ratios: list[float], limit: float, at_most: bool, detail: str) -> Figure:
    """Make a figure of several rounds."""
    return Figure(name, statistics.median(ratios), (min(ratios), max(ratios)), limit, at_most, detail)


def seconds(work: Callable[[], object]) -> float:
    """Wall time of one call."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def temporary_catalog() -> Iterator[tuple[Catalog, Path]]:
    """A catalog in a temporary folder, and the folder."""
    with tempfile.TemporaryDirectory() as folder:
        database = open_database(f"sqlite:///{folder}/cv.sqlite")
        yield Catalog(database, LocalStore(Path(folder, "store"))), Path(folder)


def photos(folder: Path, count: int) -> Path:
    """Photos in class folders: the clothing photos of CV_BENCH_DATA, or made ones of the same size."""
    real = Path(os.environ.get("CV_BENCH_DATA", "/nonexistent"), "clothing", "train")
    if real.is_dir():
        return real
    return write_pictures(folder / "photos", count, (400, 534), "jpg")


def write_pictures(folder: Path, count: int, size: tuple[int, int], suffix: str) -> Path:
    """Write pictures of random blobs, in ten class folders."""
    for number in range(count):
        random = np.random.default_rng(number)
        coarse = random.integers(0, 256, (6, 8, 3), dtype=np.uint8)
        coarse[..., number % 3] = 25 * (number % 10)
        path = folder / f"class-{number % 10}" / f"{number:05}.{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC).save(path)
    return folder
