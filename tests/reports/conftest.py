"""A finished loop with awkward names, made by hand."""

import hashlib
import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from cv_pipelines.catalog import Catalog
from cv_pipelines.images.datasets import add_dataset
from cv_pipelines.images.manifest import IMAGES, QUARANTINE
from cv_pipelines.images.stored import StoredImages
from cv_pipelines.quality.results import CheckResult
from cv_pipelines.storage.bundles import put_bundle, put_table

BOLD, PRICE = '<b>bold</b> & "co"', "5 $ or $6"


def _image(number: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.full((8, 8, 3), 40 * number, np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def finished(catalog: Catalog, store_images: Callable[..., StoredImages]) -> Catalog:
    """The data set `pets`, with every artefact that a report shows."""
    add_dataset(catalog.database, "pets", "/nowhere")
    files = {hashlib.sha256(data).hexdigest(): data for data in map(_image, range(4))}
    stored = store_images(catalog.store, files)
    ids, uris = stored.ids.to_pylist(), stored.uris.to_pylist()
    rows = [{"image_id": image, "uri": uri} for image, uri in zip(ids, uris, strict=True)]
    images = pa.Table.from_pylist(rows, IMAGES)
    reason = "not an image, but <script>alert(1)</script>"
    refused = [{"path": "<i>cat</i>/näh.png", "code": "not_an_image", "reason": reason}]
    answers = {"image_id": ids, "label": [BOLD, PRICE] * 2, "predicted": [BOLD] * 4}
    epoch = {"loss": 0.5, "accuracy": 0.75, "val_loss": 0.4, "val_accuracy": 0.5}
    row = {"precision": 0.5, "recall": 1.0, "f1": 0.667, "images": 2}
    evaluation = {
        "accuracy": 0.5,
        "accuracy_low": 0.125,
        "accuracy_high": 0.875,
        "per_class": {BOLD: row, PRICE: {**row, "recall": 0.0}},
        "calibration": {"error": 0.1, "bins": [{"confidence": 0.6, "accuracy": 0.5, "count": 4}]},
        "confusion": {"classes": [BOLD, PRICE], "counts": [[2, 0], [2, 0]]},
    }
    checks = [
        CheckResult("formats", True, True, "Every image has a format that we decode.", 0, []),
        CheckResult("images_per_class", False, True, "Too few.", 2, [{"label": BOLD, "images": 1}]),
        CheckResult("class_balance", False, False, "Unbalanced.", 1, [{"label": PRICE}]),
    ]
    store = catalog.store
    facts: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
        "image_manifest": (
            {"images": 4, "quarantined": 1, "duplicates": 2, "images_per_second": 1234.5},
            {
                "images": put_table(store, images),
                "quarantine": put_table(store, pa.Table.from_pylist(refused, QUARANTINE)),
            },
        ),
        "labels": ({"counts": {BOLD: 2, PRICE: 2}}, {}),
        "dataset_splits": ({}, {}),
        "trained_model": (
            {"history": [epoch], "images_per_second": 500.0, "parameters": {"weights": "<u>w</u>", "epochs": 1}},
            {},
        ),
        "predictions": ({"images_per_second": 99.0}, {}),
        "prediction_drift": ({"indices": {"brightness": 0.3}, "limit": 0.2}, {}),
        "labels/checks": ({"results": [vars(check) for check in checks]}, {}),
    }
    for asset, (about, parts) in facts.items():
        subject, _, checks_of = asset.partition("/")
        catalog.publish(asset, "pets", put_bundle(store, checks_of or subject, f"{subject}-3", about, parts))
    model = catalog.require("trained_model", "pets")
    catalog.publish("champion_model", "pets", model)
    judged = {"answers": put_table(store, pa.table(answers))}
    reference = put_bundle(store, "model_evaluation", f"{model.version}-test", evaluation, judged)
    catalog.once("model_evaluation", {"model": model.version}, lambda _: reference)
    catalog.publish("model_evaluation", "pets", reference)
    return catalog
