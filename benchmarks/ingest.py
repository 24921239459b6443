"""Ingest against a plain loop that reads, hashes and decodes the same files on one thread."""

import hashlib
import os
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from benchmarks.measure import Figure, figure, photos, seconds, temporary_catalog
from cv_pipelines.catalog import Catalog, Outcome
from cv_pipelines.images.ingest import ingest
from cv_pipelines.images.sources.factory import open_source

SMALL_FILES = 60_000
SMALL_SIDE = 128
UNCHANGED_SECONDS = 5.0


def measure(rounds: int) -> list[Figure]:
    """Photos at least 1.2 times, many small files at least 0.8 times as fast; unchanged in five seconds."""
    with temporary_catalog() as (_, folder):
        source = photos(folder, 1000)
        figures = [_speed("photos", source, rounds, 1.2)]
        small = _crops(source, folder / "small", SMALL_FILES, SMALL_SIDE)
        figures.append(_speed(f"{SMALL_FILES:,} small files", small, rounds, 0.8))
        return [*figures, _unchanged(small)]


def _speed(name: str, source: Path, rounds: int, promise: float) -> Figure:
    files = [path for path in source.rglob("*") if path.is_file()]
    _plain_loop(files)  # the files are in memory from here on, for both
    times = [(seconds(lambda: _plain_loop(files)), _first_ingest(source)) for _ in range(rounds)]
    plain, ours = min(times, key=lambda pair: pair[1])
    detail = f"{len(files):,} files: {len(files) / ours:,.0f}/s against {len(files) / plain:,.0f}/s"
    ratios = [plain / ours for plain, ours in times]
    return figure(f"ingest of {name} / plain loop, in files a second", ratios, promise, False, detail)


def _unchanged(source: Path) -> Figure:
    with temporary_catalog() as (catalog, _):
        first = _ingest(catalog, source)
        again = seconds(lambda: _ingest(catalog, source, first))
        touched = next(path for path in source.rglob("*") if path.is_file())
        os.utime(touched)
        one_more = seconds(lambda: _ingest(catalog, source, first))
    detail = f"unchanged: {again:.2f} s; one file touched: {one_more:.2f} s"
    return figure("unchanged files ingested again / 5 s", [again / UNCHANGED_SECONDS], 1.0, True, detail)


def _first_ingest(source: Path) -> float:
    with temporary_catalog() as (catalog, _):
        return seconds(lambda: _ingest(catalog, source))


def _ingest(catalog: Catalog, source: Path, previous: Outcome | None = None) -> Outcome:
    reference = previous.reference if previous else None
    return ingest(catalog, open_source(str(source)), os.cpu_count() or 1, previous=reference)


def _plain_loop(files: list[Path]) -> None:
    for path in files:
        data = path.read_bytes()
        hashlib.sha256(data).hexdigest()
        cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)


def _crops(source: Path, folder: Path, count: int, side: int) -> Path:
    """Small photos, each another: crops of large ones, turned and mirrored, their colours exchanged."""
    originals = [np.asarray(Image.open(path).convert("RGB")) for path in sorted(source.rglob("*.jpg"))]
    random = np.random.default_rng(0)
    for number in range(count):
        original = originals[number % len(originals)]
        top, left = (int(random.integers(0, edge - side)) for edge in original.shape[:2])
        crop = np.rot90(original[top : top + side, left : left + side], int(random.integers(4)))
        crop = crop[:: random.choice([-1, 1]), :, random.permutation(3)]
        path = folder / f"class-{number % 10}" / f"{number:06}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.ascontiguousarray(crop)).save(path, quality=85)
    return folder
