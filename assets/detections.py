"""Detections from anywhere, held against the labels."""

from collections.abc import Mapping
from typing import Any

from dagster import AssetExecutionContext, MaterializeResult, MetadataValue, asset

from assets.results import COMMON, materialized, numbers, picture, table
from cv_pipelines.detections.evaluation import class_rows, evaluate_detections, largest_curves
from cv_pipelines.detections.importing import require_detections
from cv_pipelines.execution.failures import mapped_errors
from cv_pipelines.execution.progress import StepProgress
from cv_pipelines.partitions import DATASETS
from cv_pipelines.reports.figures import detection_figure
from cv_pipelines.storage.bundles import Reference
from resources.catalog import CatalogResource


@asset(group_name="detections", kinds={"numpy"}, partitions_def=DATASETS, code_version="1", **COMMON)
def detection_evaluation(
    context: AssetExecutionContext, catalog: CatalogResource, image_manifest: Reference, labels: Reference
) -> MaterializeResult[Reference]:
    """The newest imported detections, judged as COCO and Pascal VOC do."""
    with mapped_errors():
        cat = catalog.open()
        detections = require_detections(cat, context.partition_key)
        outcome = evaluate_detections(cat, image_manifest, labels, detections, StepProgress(context, cat.database))
        facts, classes = outcome.bundle.facts, class_rows(outcome.bundle.facts)
        metadata = {
            "preview": picture(detection_figure(largest_curves(outcome.bundle), classes)),
            "classes": table([_readable(row) for row in classes]),
            "detections_name": MetadataValue.text(facts["detections_name"]),
            "detections_version": MetadataValue.text(facts["detections_version"]),
        }
        return materialized(outcome, metadata | numbers(facts))


def _readable(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row with rounded figures, and a dash for what nothing can be said of."""
    rounded = {name: round(value, 4) if isinstance(value, float) else value for name, value in row.items()}
    return {name: "–" if value is None else value for name, value in rounded.items()}
