"""How good a model is on the present test split."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cv_pipelines.catalog import Catalog, Outcome
from cv_pipelines.errors import InputError
from cv_pipelines.images.stored import stored_images
from cv_pipelines.models import metrics
from cv_pipelines.models.dataset import LabelledImages, labelled_images
from cv_pipelines.models.inference import Probabilities, open_model, predict_images
from cv_pipelines.progress import Progress, silent
from cv_pipelines.storage.bundles import Reference, put_bundle, put_table

CODE_VERSION = "1"

_Groups = dict[str, NDArray[Any]]


def evaluate(
    catalog: Catalog,
    model: Reference,
    manifest: Reference,
    labels: Reference,
    splits: Reference,
    progress: Progress = silent,
) -> Outcome:
    """Judge a model on the test split; once per model, manifest, labels and splits.

    Returns:
        An artefact with the part `answers` (image_id, label, predicted, probabilities) and the
        metrics as its facts. Recall of classes that the model does not know is 0.
    """
    test = labelled_images(catalog, labels, splits, ("test",))

    def make(key: str) -> Reference:
        card = catalog.open(model).facts
        groups = _groups(catalog, manifest, test)
        probabilities = _predict(catalog, model, manifest, test, progress)
        answers = _answers(test, card["classes"], probabilities)
        facts = {
            "model": model.version,
            "splits": splits.version,
            "images": len(test.image_ids),
            "classes": test.classes,
            "model_classes": card["classes"],
            **_metrics(test, groups, card["classes"], probabilities),
        }
        parts = {"answers": put_table(catalog.store, answers)}
        return put_bundle(catalog.store, "model_evaluation", f"{model.version}-{key[:12]}", facts, parts)

    return catalog.once("model_evaluation", _inputs(model, test, manifest, splits), make)


def find_evaluation(
    catalog: Catalog, model: Reference, manifest: Reference, labels: Reference, splits: Reference
) -> Reference | None:
    """What `evaluate` has said of just these, None where nobody has asked it yet, or could."""
    try:
        test = labelled_images(catalog, labels, splits, ("test",))
    except InputError:
        return None
    return catalog.made("model_evaluation", _inputs(model, test, manifest, splits))


def _inputs(model: Reference, test: LabelledImages, manifest: Reference, splits: Reference) -> dict[str, str]:
    versions = {"model": model.version, "test": test.version, "manifest": manifest.version}
    return {**versions, "splits": splits.version, "code": CODE_VERSION}


def _predict(
    catalog: Catalog, model: Reference, manifest: Reference, test: LabelledImages, progress: Progress
) -> Probabilities:
    bundle = catalog.open(model)
    network, size = open_model(bundle), bundle.facts["image_size"]
    images = stored_images(catalog.open(manifest))
    parts: list[Probabilities] = []
    done = 0
    for part in predict_images(network, images, test.image_ids, size):
        parts.append(part)
        done += len(part)
        progress("evaluating images", done, len(test.image_ids))
    return np.concatenate(parts)


def _answers(test: LabelledImages, known: list[str], probabilities: Probabilities) -> pa.Table:
    return pa.table(
        {
            "image_id": test.image_ids,
            "label": [test.classes[target] for target in test.targets],
            "predicted": [known[index] for index in probabilities.argmax(axis=1)],
            "probabilities": pa.array(probabilities.tolist(), pa.list_(pa.float32())),
        }
    )


def _metrics(
    test: LabelledImages, groups: _Groups, known: list[str], probabilities: Probabilities
) -> dict[str, Any]:
    """Metrics in the indices of the model's classes, followed by those that only the test has."""
    classes = [*known, *(name for name in test.classes if name not in known)]
    truth = np.array([classes.index(name) for name in test.classes])[test.targets]
    predicted = probabilities.argmax(axis=1).astype(np.int64)
    correct = predicted == truth
    low, high = metrics.bootstrap_interval(correct.astype(np.int64))
    return {
        "accuracy": float(correct.mean()),
        "accuracy_low": low,
        "accuracy_high": high,
        "majority_share": float(np.bincount(truth).max() / len(truth)),
        "per_class": metrics.per_class(truth, predicted, classes),
        "calibration": metrics.calibration(truth, probabilities.astype(np.float64)),
        "confusion": {"classes": classes, "counts": metrics.confusion(truth, predicted, classes)},
        "slices": metrics.slices(correct, groups),
    }


def _groups(catalog: Catalog, manifest: Reference, test: LabelledImages) -> _Groups:
    """What each image is sliced by.

    Raises:
        InputError: the manifest does not have all of them.
    """
    columns = ["image_id", "source_group", "width", "height"]
    table = catalog.open(manifest).table("images", columns)
    rows = table.filter(pc.is_in(table["image_id"], pa.array(test.image_ids))).sort_by("image_id")
    if rows.num_rows != len(test.image_ids):
        missing = len(test.image_ids) - rows.num_rows
        message = f"{missing} labelled images are not in the manifest; run the data set again from its start."
        raise InputError("missing_images", message)
    return {
        "class": np.array([test.classes[target] for target in test.targets]),
        "source": np.array([group or "." for group in rows["source_group"].to_pylist()]),
        "size": metrics.size_thirds(rows["width"].to_numpy(), rows["height"].to_numpy()),
    }
