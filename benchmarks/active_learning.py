"""The loop with hidden labels, which are revealed as `label_queue` asks for them, against a random order.

Real photos where CV_BENCH_DATA has some, else scikit-learn's digits. Both ways begin with the same labels, and are
judged on the same images, which nobody asks for. The figure is the mean accuracy of all rounds after the first.
"""

import json
import os
import shutil
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

from benchmarks.measure import Figure, figure, temporary_catalog
from cv_pipelines.active_learning.parameters import QueueParameters
from cv_pipelines.active_learning.queue import make_queue
from cv_pipelines.annotations.annotation import NONE
from cv_pipelines.annotations.labels import make_labels
from cv_pipelines.annotations.splits import SplitParameters, make_splits
from cv_pipelines.annotations.store.classes import ensure_classes
from cv_pipelines.annotations.store.events import Author, Change, append, writing
from cv_pipelines.catalog import Catalog
from cv_pipelines.cli.demo import write_digits
from cv_pipelines.images.datasets import add_dataset
from cv_pipelines.images.ingest import ingest
from cv_pipelines.images.sources.factory import open_source
from cv_pipelines.models.embedding import embed_dataset
from cv_pipelines.models.parameters import TrainingParameters
from cv_pipelines.models.prediction import predict_dataset
from cv_pipelines.models.training import train
from cv_pipelines.storage.bundles import Reference

WAYS: dict[str, dict[str, float]] = {"label_queue": QueueParameters().strategies, "random": {"random": 1.0}}
"""What asks: the strategies as they are by default, and chance."""
KINDS = ("dress", "hat", "pants", "shoes")
"""Of photos: of all ten a small network learns next to nothing from so few, and asks for nothing in particular."""
TRAININGS = 3
"""Of each round, and their mean counts: with few labels one says more of its luck than of the labels."""


@dataclass(frozen=True)
class Trial:
    """Images whose labels are hidden, and those that models are judged on.

    Attributes:
        catalog: where everything is.
        pool: manifest of the images that may be asked for.
        test: of those that models are judged on.
        truth: the class of each image, by its id.
        cache: folder for decoded images.
        sizes: labels that there are in each round.
        parameters: of each training, but for its seed.
    """

    catalog: Catalog
    pool: Reference
    test: Reference
    truth: Mapping[str, str]
    cache: Path
    sizes: tuple[int, ...]
    parameters: TrainingParameters


def measure(rounds: int) -> list[Figure]:
    """At least as accurate as with labels in a random order, by seed."""
    with temporary_catalog() as (catalog, folder):
        name, trial = _trial(catalog, folder)
        found = []
        for seed in range(rounds):
            started = time.perf_counter()
            curves = {way: _accuracies(trial, f"{way}-{seed}", shares, seed) for way, shares in WAYS.items()}
            found.append(curves)
            told = {way: [round(one, 3) for one in curve] for way, curve in curves.items()}
            print(f"seed {seed}, {time.perf_counter() - started:.0f} s: {json.dumps(told)}", file=sys.stderr)
        ratios = [mean(one["label_queue"][1:]) / mean(one["random"][1:]) for one in found]
        last = {way: mean(one[way][-1] for one in found) for way in WAYS}
        detail = f"{name}, {trial.sizes[0]} to {trial.sizes[-1]} labels; at the end {last['label_queue']:.3f}"
        detail += f" against {last['random']:.3f}, {rounds} seeds"
    return [figure("accuracy, labels as label_queue asks / in random order", ratios, 1.0, False, detail)]


def _trial(catalog: Catalog, folder: Path) -> tuple[str, Trial]:
    photos = Path(os.environ.get("CV_BENCH_DATA", "/nonexistent"), "clothing")
    sizes: tuple[int, ...]
    if photos.is_dir():
        name, sizes, side = f"photos of {len(KINDS)} kinds", (80, 130, 180, 230), 48
        pool, test = (
            [file for kind in KINDS for file in sorted((photos / which / kind).iterdir())]
            for which in ("train", "validation")
        )
    else:
        write_digits(folder / "digits")
        files = sorted((folder / "digits").glob("*/*"))
        name, sizes, side = "digits", (60, 90, 120, 150, 180), 16
        pool, test = [one for n, one in enumerate(files) if n % 3], files[::3]
    truth = dict[str, str]()
    asked, judged = _hidden(catalog, folder / "pool", pool, truth), _hidden(catalog, folder / "test", test, truth)
    parameters = TrainingParameters(image_size=side)
    return name, Trial(catalog, asked, judged, truth, folder / "cache", sizes, parameters)


def _hidden(catalog: Catalog, folder: Path, files: list[Path], truth: dict[str, str]) -> Reference:
    """Ingest files from a folder that says nothing of what they show; that goes into `truth`."""
    folder.mkdir()
    for number, file in enumerate(files):
        shutil.copy(file, folder / f"{number:05}{file.suffix}")
    manifest = ingest(catalog, open_source(str(folder)), os.cpu_count() or 1)
    images = manifest.bundle.table("images", ["image_id", "sources"])
    for image_id, sources in zip(*(column.to_pylist() for column in images.columns), strict=True):
        truth[image_id] = files[int(Path(sources[0]).stem)].parent.name
    return manifest.reference


def _accuracies(trial: Trial, dataset: str, strategies: Mapping[str, float], seed: int) -> list[float]:
    """Accuracy after each round; the first labels are drawn by lot, for there is no model yet."""
    catalog = trial.catalog
    add_dataset(catalog.database, dataset, "/nowhere")
    catalog.publish("image_manifest", dataset, trial.pool)
    accuracies, known = [], 0
    for size in trial.sizes:
        wanted = QueueParameters(strategies=dict(strategies), size=size - known, seed=seed)
        queue = make_queue(catalog, dataset, trial.pool, wanted).bundle.table("queue")["image_id"].to_pylist()
        _reveal(trial, dataset, queue)
        known += len(queue)
        version = _version(trial, dataset)
        models = [_trained(trial, version, TRAININGS * seed + number) for number in range(TRAININGS)]
        for asset, make in (("predictions", predict_dataset), ("image_embeddings", embed_dataset)):
            catalog.publish(asset, dataset, make(catalog, models[0], trial.pool).reference)
        accuracies.append(mean(_accuracy(trial, model) for model in models))
    return accuracies


def _accuracy(trial: Trial, model: Reference) -> float:
    answers = predict_dataset(trial.catalog, model, trial.test).bundle.table("predictions")
    rows = zip(answers["image_id"].to_pylist(), answers["predicted"].to_pylist(), strict=True)
    return mean(trial.truth[image_id] == said for image_id, said in rows)


def _reveal(trial: Trial, dataset: str, images: list[str]) -> None:
    classes = sorted(set(trial.truth.values()))
    with writing(trial.catalog.database, dataset) as connection:
        numbers = ensure_classes(connection, dataset, [(name, "", NONE) for name in classes], "benchmark")
        said = (Change(one, json.dumps({"classes": [numbers[trial.truth[one]]]})) for one in images)
        append(connection, dataset, said, Author("benchmark"))


def _version(trial: Trial, dataset: str) -> tuple[Reference, Reference]:
    """Labels and splits as they are now."""
    catalog = trial.catalog
    labels = make_labels(catalog, dataset, trial.pool).reference
    previous = catalog.current("dataset_splits", dataset)
    splits = make_splits(catalog, trial.pool, labels, previous, SplitParameters()).reference
    for asset, made in (("labels", labels), ("dataset_splits", splits)):
        catalog.publish(asset, dataset, made)
    return labels, splits


def _trained(trial: Trial, version: tuple[Reference, Reference], seed: int) -> Reference:
    parameters = trial.parameters.model_copy(update={"seed": seed})
    return train(trial.catalog, trial.pool, *version, parameters, trial.cache).reference


if __name__ == "__main__":
    for one in measure(3):
        print(one)
