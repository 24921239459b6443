"""The artefacts of a loop, made by hand, so that a test can break one thing in them."""

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest

from cv_pipelines.annotations.labels import LABELS
from cv_pipelines.annotations.splits import ASSIGNMENTS
from cv_pipelines.annotations.store.classes import ensure_classes
from cv_pipelines.annotations.store.events import Author, Change, append, writing
from cv_pipelines.annotations.store.standing import ANNOTATIONS
from cv_pipelines.catalog import Catalog
from cv_pipelines.detections.evaluation import VOC
from cv_pipelines.images.manifest import IMAGES, NEAR_DUPLICATES
from cv_pipelines.models.prediction import PREDICTIONS
from cv_pipelines.storage.bundles import put_bundle, put_table

Pieces = dict[str, Any]
CLASSES = ("cat", "dog", "owl")


@pytest.fixture
def pieces() -> Pieces:
    """A loop that breaks no rule: 24 images of each of three classes, most of them in training."""
    ids = [f"i{number:02}" for number in range(72)]
    splits = ["test" if place < 9 else "validation" if place < 18 else "train" for place in range(72)]
    return {
        "images": [
            {"image_id": image, "sources": [f"{image}.png"], "width": 640, "height": 480, "format": "PNG"}
            for image in ids
        ],
        "columns": IMAGES.names,
        "near_duplicates": [{"image_id": "i00", "other_id": "i01", "distance": 2}],
        "files": {"files": 75, "images": 72, "duplicates": 0, "quarantined": 3},
        "labels": [{"image_id": image, "label": CLASSES[place % 3]} for place, image in enumerate(ids)],
        "classes": list(CLASSES),
        "counts": {},
        "objects": {},  # of images, by class: left, top, width and height, and an outline perhaps
        "opinions": [],  # who, of which image, which class
        "assignments": [
            {"image_id": image, "split": split, "reason": "", "present": True}
            for image, split in zip(ids, splits, strict=True)
        ],
        "evaluation": {"accuracy_low": 0.8, "majority_share": 0.4, "calibration": {"error": 0.05, "bins": []}},
        "predictions": [{"image_id": image} for image in ids],
        "drift": {"images": 54, "enough": 50, "limit": 0.2, "indices": {"brightness": 0.1, "predictions": 0.2}},
        "detections": {
            "detections": 190,
            "detections_on_unlabelled_images": 10,
            "detections_of_unknown_classes": 0,
            "per_class": {
                name: {"objects": 9, "detections": 9, "AP": 0.5, "AP50": 0.7, **dict.fromkeys(VOC, 0.6)}
                for name in CLASSES
            },
        },
        "video": {"address": "/films/a.mp4", "frames": 32, "width": 640, "height": 360, "duration": "16/15"},
        # two frames are fewer than a stride
        "motion": {"invalid_share": 0.2, "first": 1, "last": 32, "stride": 3},
        "intervals": [{"from_frame": frame, "to_frame": frame + 3} for frame in range(1, 31, 3)],
        "regions": [
            {"start_frame": 1, "end_frame": 20, "kind": "static"},
            {"start_frame": 21, "end_frame": 32, "kind": "pan_E"},
        ],
        "stretches": [{"frame": 10, "problem": ""}],
    }


def objects_and_opinions(catalog: Catalog, pieces: Pieces) -> tuple[Pieces, str]:
    """Facts of the labels, and the part `annotations`; opinions become events."""
    numbers = {str(number): name for number, name in enumerate([*CLASSES, "ghost"])}
    of_images = {row["image_id"]: {"classes": [0]} for row in pieces["labels"]}
    for image, boxes in pieces["objects"].items():
        of_images[image] = {"boxes": boxes}
    rows = [{"image_id": image, "content": json.dumps(held)} for image, held in of_images.items()]
    annotations = put_table(catalog.store, pa.Table.from_pylist(rows, ANNOTATIONS))
    facts: Pieces = {"objects": {"cat": 1} if pieces["objects"] else {}, "several": 0, "numbers": numbers}
    if pieces["opinions"]:
        with writing(catalog.database, "pets") as connection:
            ensure_classes(connection, "pets", [(name, "", {}) for name in CLASSES], "ann")
            for who, image, number in pieces["opinions"]:
                append(connection, "pets", [Change(image, f'{{"classes":[{number}]}}')], Author(who))
    return facts, annotations


@pytest.fixture
def publish(catalog: Catalog) -> Callable[[Pieces], Catalog]:
    """Write pieces as the artefacts of the data set `pets`."""

    def run(pieces: Pieces) -> Catalog:
        def table(name: str, schema: pa.Schema) -> str:
            return put_table(catalog.store, pa.Table.from_pylist(pieces[name], schema))

        def plain(name: str) -> str:
            return put_table(catalog.store, pa.Table.from_pylist(pieces[name]))

        images = pa.Table.from_pylist(pieces["images"], IMAGES).select(pieces["columns"])
        manifest = {"images": put_table(catalog.store, images)}
        manifest["near_duplicates"] = table("near_duplicates", NEAR_DUPLICATES)
        counts = Counter(row["label"] for row in pieces["labels"]) | Counter(pieces["counts"])
        labels = {"classes": pieces["classes"], "counts": {name: counts[name] for name in pieces["classes"]}}
        held, annotations = objects_and_opinions(catalog, pieces)
        predictions = {"predictions": table("predictions", PREDICTIONS)}
        for asset, facts, parts in (
            ("image_manifest", pieces["files"], manifest),
            ("labels", labels | held, {"labels": table("labels", LABELS), "annotations": annotations}),
            ("dataset_splits", {}, {"assignments": table("assignments", ASSIGNMENTS)}),
            ("model_evaluation", pieces["evaluation"], {}),
            ("predictions", {}, predictions),
            ("prediction_drift", pieces["drift"], {}),
            ("detection_evaluation", pieces["detections"], {}),
            ("video_catalog", pieces["video"], {}),
            ("camera_motion", pieces["motion"], {"intervals": plain("intervals")}),
            ("motion_regions", {"frames": pieces["video"]["frames"]}, {"regions": plain("regions")}),
            ("static_thumbnails", {"stretches": pieces["stretches"]}, {}),
        ):
            catalog.publish(asset, "pets", put_bundle(catalog.store, asset, f"{asset}-7", facts, parts))
        return catalog

    return run
