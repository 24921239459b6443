"""Predictions of a whole data set, written as they are made."""

import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from cv_pipelines.catalog import Catalog, Outcome
from cv_pipelines.images.statistics import STATISTICS
from cv_pipelines.images.stored import StoredImages, stored_images
from cv_pipelines.models import drift as drifting
from cv_pipelines.models.inference import Probabilities, open_model, predict_images
from cv_pipelines.progress import Progress, silent
from cv_pipelines.storage.bundles import Reference, put_bundle, put_file

if TYPE_CHECKING:
    import keras

CODE_VERSION = "2"
PREDICTIONS = pa.schema(
    [
        ("image_id", pa.string()),
        ("predicted", pa.string()),
        ("probability", pa.float32()),
        ("second_probability", pa.float32()),
        ("entropy", pa.float32()),
        ("model_version", pa.string()),
        ("data_version", pa.string()),
    ]
)
"""One row per image, ordered by `image_id`; entropy of all classes' probabilities, in nats.

The second probability is that of the next best class; artefacts of earlier releases do not have it.
"""


def predict_dataset(
    catalog: Catalog, model: Reference, manifest: Reference, progress: Progress = silent
) -> Outcome:
    """Predict every image of a manifest; memory does not grow with their number.

    Returns:
        An artefact with the part `predictions` (PREDICTIONS) and the facts `model`, `images`,
        `counts` by predicted class, `images_per_second`.
    """

    def make(_: str) -> Reference:
        images = stored_images(catalog.open(manifest))
        card = catalog.open(model).facts
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "predictions.parquet")
            network = open_model(catalog.open(model))
            versions = (model.version, manifest.version)
            started = time.perf_counter()
            counts = write_predictions(path, network, images, images.ids.to_pylist(), card, versions, progress)
            seconds = time.perf_counter() - started
            parts = {"predictions": put_file(catalog.store, path)}
        facts = {
            "model": model.version,
            "data": manifest.version,
            "images": len(images.ids),
            "counts": {name: counts[name] for name in card["classes"]},
            "images_per_second": round(len(images.ids) / seconds, 1) if len(images.ids) else None,
        }
        version = f"{model.version}-{manifest.version[:12]}"
        return put_bundle(catalog.store, "predictions", version, facts, parts)

    inputs = {"model": model.version, "manifest": manifest.version, "code": CODE_VERSION}
    return catalog.once("predictions", inputs, make)


def measure_drift(catalog: Catalog, predictions: Reference, model: Reference, manifest: Reference) -> Outcome:
    """Compare the images that the model has not learned from with those that it has.

    Returns:
        An artefact with the facts `indices` (population stability index by name), `images`, `limit`.
    """

    def make(_: str) -> Reference:
        card = catalog.open(model).facts
        images = catalog.open(manifest).table("images", ["image_id", *STATISTICS]).to_pandas()
        answers = catalog.open(predictions).table("predictions", ["image_id", "predicted"]).to_pandas()
        learned = set(catalog.open(model).table("learned")["image_id"].to_pylist())
        today = images.merge(answers, on="image_id")
        today = today[~today["image_id"].isin(learned)]
        indices = drifting.drift(card["profile"], today, today["predicted"].tolist()) if len(today) else {}
        facts = {"images": len(today), "indices": indices, "limit": drifting.LIMIT, "enough": drifting.ENOUGH}
        version = f"{model.version}-{manifest.version[:12]}"
        return put_bundle(catalog.store, "prediction_drift", version, facts, {})

    inputs = {"predictions": predictions.key, "model": model.version, "code": CODE_VERSION}
    return catalog.once("prediction_drift", inputs, make)


def write_predictions(
    path: Path,
    network: "keras.Model",
    images: StoredImages,
    image_ids: list[str],
    card: Mapping[str, Any],
    versions: tuple[str, str],
    progress: Progress = silent,
) -> Counter[str]:
    """Stream predictions into a Parquet file, row group by row group.

    Args:
        path: the file.
        network: images to probabilities.
        images: where they are.
        image_ids: which ones, in the order of the rows.
        card: of the model; its `classes` and `image_size`.
        versions: of model and data.
        progress: told of images.

    Returns:
        How often each class was predicted.
    """
    counts: Counter[str] = Counter()
    classes = np.array(card["classes"])
    done = 0
    with pq.ParquetWriter(path, PREDICTIONS, compression="zstd") as writer:
        for probabilities in predict_images(network, images, image_ids, card["image_size"]):
            ids = image_ids[done : done + len(probabilities)]
            batch = _rows(ids, classes[probabilities.argmax(axis=1)].tolist(), probabilities, versions)
            writer.write_batch(batch)
            counts.update(batch.column("predicted").to_pylist())
            done += len(ids)
            progress("predicting images", done, len(image_ids))
    return counts


def _rows(
    ids: list[str], predicted: list[str], probabilities: Probabilities, versions: tuple[str, str]
) -> pa.RecordBatch:
    safe = np.clip(probabilities.astype(np.float64), 1e-12, 1.0)
    best = np.sort(np.pad(probabilities, ((0, 0), (1, 0))), axis=1)  # of one class alone the second is 0
    columns = [
        pa.array(ids),
        pa.array(predicted, pa.string()),
        pa.array(best[:, -1]),
        pa.array(best[:, -2]),
        pa.array((-(safe * np.log(safe)).sum(axis=1)).astype(np.float32)),
        *(pa.array([version] * len(ids)) for version in versions),
    ]
    return pa.record_batch(columns, schema=PREDICTIONS)
