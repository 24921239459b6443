"""Training from the cache on disk, against a bare `model.fit` on arrays in memory; and its memory.

`python -m benchmarks.training peak IMAGES` and `… speed kept|returned` measure one training in its own process.
"""

import subprocess
import sys
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Literal
from unittest.mock import patch

import keras
import numpy as np

from benchmarks.measure import Figure, figure, photos, temporary_catalog, write_pictures
from cv_pipelines.catalog import Catalog
from cv_pipelines.images.ingest import ingest
from cv_pipelines.images.sources.factory import open_source
from cv_pipelines.images.stored import stored_images
from cv_pipelines.models.architectures.factory import build_classifier
from cv_pipelines.models.checkpoints import Checkpoints
from cv_pipelines.models.dataset import LabelledImages
from cv_pipelines.models.fitting import Fitted, fit, trainable
from cv_pipelines.models.parameters import TrainingParameters
from cv_pipelines.models.pixel_cache import PixelCache, open_cache
from cv_pipelines.progress import silent
from cv_pipelines.settings import ROOT
from cv_pipelines.storage.local import LocalStore

SMALL, LARGE = 2_000, 20_000


class Clock(keras.callbacks.Callback):  # type: ignore[misc]  # keras has no types
    """Seconds of training of each epoch, without validation."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []

    def on_epoch_begin(self, epoch: int, logs: object = None) -> None:
        """Start."""
        self.started = time.perf_counter()

    def on_test_begin(self, logs: object = None) -> None:
        """Stop."""
        self.seconds.append(time.perf_counter() - self.started)


def measure(rounds: int) -> list[Figure]:
    """At least 0.95 times as many images a second after the first epoch; memory does not grow, and is kept."""
    with temporary_catalog() as (catalog, folder):
        small = write_pictures(folder / "small", 4000, (16, 16), "png")
        figures = [
            _speed(catalog, folder, "small images", small, 16, 6, rounds),
            _speed(catalog, folder, "photos", photos(folder, 1000), 96, 3, rounds),
        ]
    return [*figures, _memory(), _kept(rounds)]


def _speed(catalog: Catalog, folder: Path, name: str, source: Path, size: int, epochs: int, rounds: int) -> Figure:
    bundle = ingest(catalog, open_source(str(source)), 2).bundle
    manifest = bundle.table("images").to_pandas()
    classes = sorted(manifest["source_label"].dropna().unique())
    targets = manifest["source_label"].map(classes.index).to_numpy(np.int64)
    splits = np.where(np.arange(len(manifest)) % 7 == 0, "validation", "train")
    images = LabelledImages(manifest["image_id"].tolist(), targets, splits, classes, name)
    parameters = TrainingParameters(architecture="small_cnn", image_size=size, epochs=epochs, patience=epochs)
    pixels = open_cache(folder / "cache", stored_images(bundle), images.image_ids, size, silent)
    ours, bare = list[float](), list[float]()
    for _ in range(rounds):
        checkpoints = Checkpoints(catalog.store, f"{name}-{len(ours)}")
        ours.append(fit(images, pixels, parameters, 64, checkpoints, silent).images_per_second or 0.0)
        bare.append(_bare(images, pixels, parameters))
    detail = f"{len(targets)} at {size} px: {max(ours):,.0f} images/s against {max(bare):,.0f}"
    ratios = [a / b for a, b in zip(ours, bare, strict=True)]
    return figure(f"training, {name} / model.fit on arrays", ratios, 0.95, False, detail)


def _bare(images: LabelledImages, pixels: PixelCache, parameters: TrainingParameters) -> float:
    """Images a second of Keras alone: the same network, everything in memory."""
    everything = pixels.read(np.arange(len(images.image_ids)))
    learn = images.splits == "train"
    classifier = build_classifier(parameters.architecture, parameters.image_size, len(images.classes), 0.2)
    model, clock = trainable(classifier, parameters), Clock()
    model.fit(
        everything[learn],
        images.targets[learn],
        validation_data=(everything[~learn], images.targets[~learn]),
        batch_size=64,
        epochs=parameters.epochs,
        callbacks=[clock],
        verbose=0,
    )
    later = clock.seconds[1:]
    return float(learn.sum() * len(later) / sum(later))


def _memory() -> Figure:
    """Peak memory of a training on ten times the images, each in a process of its own."""
    peaks = [_measured("peak", str(count)) for count in (SMALL, LARGE)]
    detail = f"{peaks[1]:,.0f} MiB for {LARGE:,} images, {peaks[0]:,.0f} MiB for {SMALL:,}"
    return figure("memory of training, ten times the images", [peaks[1] / peaks[0]], 1.1, True, detail)


def _kept(rounds: int) -> Figure:
    """What it brings to keep the memory that steps free: at least 1.2 times the images a second, on a CPU."""
    speeds = [(_measured("speed", "kept"), _measured("speed", "returned")) for _ in range(rounds)]
    kept, returned = max(speeds)
    detail = f"{SMALL:,} at 32 px: {kept:,.0f} images/s against {returned:,.0f}"
    return figure("training, freed memory kept / given back", [a / b for a, b in speeds], 1.2, False, detail)


def _measured(*what: str) -> float:
    command = [sys.executable, "-m", "benchmarks.training", *what]
    return float(subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout.split()[-1])


def _train(count: int, size: int, epochs: int, augmentation: Literal["none", "geometry"]) -> Fitted:
    """Train the small network on random images."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "pixels.rgb")
        random = np.random.default_rng(0)
        with path.open("wb") as file:
            for _ in range(count // 100):
                file.write(random.integers(0, 256, 100 * size * size * 3, np.uint8).tobytes())
        splits = np.where(np.arange(count) % 10 == 0, "validation", "train")
        images = LabelledImages([str(n) for n in range(count)], np.arange(count) % 3, splits, ["a", "b", "c"], "")
        parameters = TrainingParameters(
            architecture="small_cnn", image_size=size, epochs=epochs, patience=epochs, augmentation=augmentation
        )
        checkpoints = Checkpoints(LocalStore(Path(folder, "store")), "random")
        return fit(images, PixelCache(path, size), parameters, 64, checkpoints, silent)


def _peak(count: int) -> float:
    """Peak memory in MiB of a training on `count` images of 64 x 64 pixels."""
    _train(count, 64, 1, "none")
    # not getrusage: its maximum is inherited from the parent across exec
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def _images_a_second(memory: str) -> float:
    returned = patch("cv_pipelines.models.fitting.keep_freed_memory") if memory == "returned" else nullcontext()
    with returned:
        return _train(SMALL, 32, 3, "geometry").images_per_second or 0.0


if __name__ == "__main__":
    what, how = sys.argv[1:]
    print(_peak(int(how)) if what == "peak" else _images_a_second(how))
