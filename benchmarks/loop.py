"""The loop's functions one after the other, without Dagster."""

import os
from dataclasses import dataclass
from pathlib import Path

from cv_pipelines.active_learning.parameters import QueueParameters
from cv_pipelines.active_learning.queue import make_queue
from cv_pipelines.annotations.labels import make_labels
from cv_pipelines.annotations.splits import SplitParameters, make_splits
from cv_pipelines.catalog import Catalog
from cv_pipelines.images.ingest import ingest
from cv_pipelines.images.sources.factory import open_source
from cv_pipelines.models.embedding import embed_dataset
from cv_pipelines.models.parameters import TrainingParameters
from cv_pipelines.models.prediction import measure_drift, predict_dataset
from cv_pipelines.models.promotion import consider
from cv_pipelines.models.training import train
from cv_pipelines.quality.validation import check_asset
from cv_pipelines.storage.bundles import Reference


@dataclass(frozen=True)
class Trained:
    """The first half of a loop."""

    manifest: Reference
    labels: Reference
    splits: Reference
    model: Reference


def to_model(catalog: Catalog, source: Path, parameters: TrainingParameters, cache: Path) -> Trained:
    """Ingest, label, split, train, with the checks in between."""
    manifest = ingest(catalog, open_source(str(source)), os.cpu_count() or 1).reference
    _publish(catalog, "image_manifest", manifest)
    labels = make_labels(catalog, "data", manifest).reference
    _publish(catalog, "labels", labels)
    splits = make_splits(catalog, manifest, labels, None, SplitParameters()).reference
    _publish(catalog, "dataset_splits", splits)
    model = train(catalog, manifest, labels, splits, parameters, cache).reference
    return Trained(manifest, labels, splits, model)


def whole(catalog: Catalog, source: Path, parameters: TrainingParameters, cache: Path) -> None:
    """Everything that the job `loop` does."""
    made = to_model(catalog, source, parameters, cache)
    champion, _ = consider(catalog, "data", made.model, made.manifest, made.labels, made.splits, "benchmark")
    if champion is None:
        raise SystemExit("The benchmark's model has learned nothing.")
    predictions = predict_dataset(catalog, champion, made.manifest).reference
    _publish(catalog, "predictions", predictions)
    _publish(catalog, "prediction_drift", measure_drift(catalog, predictions, champion, made.manifest).reference)
    catalog.publish("image_embeddings", "data", embed_dataset(catalog, champion, made.manifest).reference)
    catalog.publish("label_queue", "data", make_queue(catalog, "data", made.manifest, QueueParameters()).reference)


def _publish(catalog: Catalog, asset: str, reference: Reference) -> None:
    catalog.publish(asset, "data", reference)
    check_asset(catalog, asset, "data")
