"""A champion for the benchmark of tasks, and its predictions without tasks; run in processes of their own.

It imports no more than that takes: the time of such a process is what tasks are measured against.
"""

import os
import sys
import tempfile
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path

import numpy as np

from cv_pipelines.cli.context import open_catalog
from cv_pipelines.images.decode import Pixels
from cv_pipelines.images.resize import decode_for_model
from cv_pipelines.images.sources.ahead import map_ahead
from cv_pipelines.models.inference import BATCH, open_model, predict_pixels

DATASET = "data"
SIZE = 96


def images_of(source: Path, count: int) -> list[Path]:
    """Image files below a folder, again from the first one where there are too few."""
    files = sorted(path for path in source.rglob("*") if path.is_file())
    return list(islice(cycle(files), count))


def train(source: Path) -> None:
    """Train for an epoch, and publish what comes of it: how good it is does not matter here."""
    from benchmarks.loop import to_model
    from cv_pipelines.images.datasets import add_dataset
    from cv_pipelines.models.parameters import TrainingParameters

    catalog = open_catalog()
    add_dataset(catalog.database, DATASET, str(source))
    with tempfile.TemporaryDirectory() as cache:
        made = to_model(catalog, source, TrainingParameters(epochs=1, image_size=SIZE), Path(cache))
    catalog.publish("champion_model", DATASET, made.model)


def predict(source: Path, count: int) -> None:
    """Load the champion, decode on all cores, predict batch by batch; print what was predicted how often."""
    catalog = open_catalog()
    bundle = catalog.open(catalog.require("champion_model", DATASET))
    network, size = open_model(bundle), bundle.facts["image_size"]
    counts = np.zeros(len(bundle.facts["classes"]), np.int64)
    for pixels in _batches(images_of(source, count), size):
        counts += np.bincount(predict_pixels(network, pixels).argmax(axis=1), minlength=len(counts))
    print(counts.tolist())


def _batches(files: list[Path], size: int) -> Iterator[Pixels]:
    waiting: list[Pixels] = []
    for pixels in map_ahead(lambda path: decode_for_model(path.read_bytes(), size), files, os.cpu_count() or 1):
        waiting.append(pixels)
        if len(waiting) == BATCH:
            yield np.stack(waiting)
            waiting.clear()
    if waiting:
        yield np.stack(waiting)


if __name__ == "__main__":
    if sys.argv[1] == "train":
        train(Path(sys.argv[2]))
    else:
        predict(Path(sys.argv[2]), int(sys.argv[3]))
