"""How good detections are, held against the labels of a data set."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cv_pipelines.annotations.annotation import Annotation
from cv_pipelines.annotations.labels import read_annotations
from cv_pipelines.catalog import Catalog, Outcome
from cv_pipelines.detections.boxes import Detected, Truth, by_class, gather_detections, gather_truth
from cv_pipelines.detections.coco_numbers import NUMBERS, RECALLS, coco_numbers, mean_numbers
from cv_pipelines.detections.detection import read_detections
from cv_pipelines.detections.voc_precision import average_precisions
from cv_pipelines.errors import InputError
from cv_pipelines.progress import Progress, silent
from cv_pipelines.storage.bundles import Bundle, Reference, put_bundle, put_table

CODE_VERSION = "1"
VOC = ("voc_ap_11_points", "voc_ap_all_points")
CURVES = pa.schema([("label", pa.string()), ("recall", pa.float64()), ("precision", pa.float64())])
"""Precision at IoU 0.5 and 101 recalls of each class, as COCO has it."""

Facts = dict[str, Any]


def evaluate_detections(
    catalog: Catalog, manifest: Reference, labels: Reference, detections: Reference, progress: Progress = silent
) -> Outcome:
    """Judge detections, once per labels and detections.

    Returns:
        An artefact with the part `curves` (CURVES) and the numbers as its facts, see judge.

    Raises:
        InputError: `no_boxes`: the labels have none.
    """

    def make(key: str) -> Reference:
        seen = catalog.open(detections)
        labelled = _labelled(catalog.open(labels), catalog.open(manifest))
        facts, curves = judge(labelled, read_detections(seen), progress)
        facts |= {"detections_version": detections.version, "detections_name": seen.facts["name"]}
        parts = {"curves": put_table(catalog.store, curves)}
        return put_bundle(catalog.store, "detection_evaluation", f"{detections.version}-{key[:12]}", facts, parts)

    versions = {"manifest": manifest.version, "labels": labels.version, "detections": detections.key}
    return catalog.once("detection_evaluation", {**versions, "code": CODE_VERSION}, make)


def judge(
    annotations: Iterable[Annotation], batches: Iterable[pa.RecordBatch], progress: Progress = silent
) -> tuple[Facts, pa.Table]:
    """Hold detections against labels.

    Args:
        annotations: of every labelled image, by `image_id`. One without boxes shows no object; but one that has a
            class as a whole and no boxes says nothing of objects, and is not looked at.
        batches: DETECTIONS.
        progress: is told of images and classes.

    Returns:
        Facts: how many there are of what; COCO's NUMBERS and VOC, over all classes and in `per_class`, None where
        nothing can be said; and CURVES.

    Raises:
        InputError: `no_boxes`.
    """
    truth = gather_truth(annotations, progress)
    if not truth.classes:
        message = "The labels have no boxes, so there is nothing to hold detections against: label some objects."
        raise InputError("no_boxes", message)
    detected = gather_detections(batches, truth)
    classes, curves = dict[str, Facts](), []
    for done, (name, objects, found) in enumerate(by_class(truth, detected), start=1):
        numbers, precision = coco_numbers(objects, found)
        counts = {"objects": int(np.count_nonzero(~objects.crowd)), "detections": len(found.scores)}
        classes[name] = {**counts, **numbers, **dict(zip(VOC, average_precisions(objects, found), strict=True))}
        if counts["objects"]:
            curves.append(pa.table([[name] * len(RECALLS), RECALLS, precision], schema=CURVES))
        progress("classes", done, len(truth.classes))
    together = mean_numbers(list(classes.values()), (*NUMBERS, *VOC))
    facts = {**_counts(truth, detected), **_said(together)}
    per_class = {name: _said(one) for name, one in classes.items()}
    return {**facts, "per_class": per_class}, pa.concat_tables([CURVES.empty_table(), *curves])


def largest_curves(evaluation: Bundle, most: int = 6) -> dict[str, tuple[list[float], list[float]]]:
    """Recall and precision of the classes with most objects."""
    curves = evaluation.table("curves")
    wanted = [row["class"] for row in class_rows(evaluation.facts)[:most] if row["objects"]]
    found = {name: curves.filter(pc.equal(curves["label"], name)) for name in wanted}
    return {name: (rows["recall"].to_pylist(), rows["precision"].to_pylist()) for name, rows in found.items()}


def class_rows(facts: Facts) -> list[Facts]:
    """Classes as rows for a table: those with most objects first."""
    names = ("objects", "detections", "AP", "AP50", *VOC)
    rows = [{"class": name, **{key: one[key] for key in names}} for name, one in facts["per_class"].items()]
    return sorted(rows, key=lambda row: -row["objects"])


def _labelled(labels: Bundle, manifest: Bundle) -> Iterator[Annotation]:
    """Annotations with the ids of their images."""
    if "annotations" not in labels.parts:
        message = "These labels are of an earlier release: materialize the asset 'labels' again."
        raise InputError("old_labels", message)
    images = manifest.table("images", ["image_id", "sources"]).to_pylist()
    ids = {image["sources"][0]: image["image_id"] for image in images}
    for one in read_annotations(labels, manifest):
        yield replace(one, image_id=ids[one.image])


def _counts(truth: Truth, detected: Detected) -> Facts:
    return {
        "images": len(truth.image_ids),
        "images_with_detections": len(np.unique(detected.found.images)),
        "objects": int(np.count_nonzero(~truth.objects.crowd)),
        "detections": len(detected.labels),
        "detections_on_unlabelled_images": detected.unlabelled,
        "detections_of_unknown_classes": detected.unknown,
    }


def _said(numbers: Mapping[str, Any]) -> Facts:
    """Numbers as JSON has them: None for what is none."""
    return {name: None if value != value else value for name, value in numbers.items()}
