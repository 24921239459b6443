"""Which images people are asked to label next."""

from dataclasses import replace

from dagster import AssetExecutionContext, MaterializeResult, MetadataValue, asset

from assets.automation import ON_NEW_DATA
from assets.results import COMMON, Metadata, materialized, numbers, picture, table
from cv_pipelines.active_learning.parameters import QueueParameters
from cv_pipelines.active_learning.queue import ASSET, make_queue
from cv_pipelines.active_learning.rounds import read_rounds
from cv_pipelines.catalog import Catalog
from cv_pipelines.execution.failures import mapped_errors
from cv_pipelines.execution.parameters import StepConfig
from cv_pipelines.images.contact_sheet import TILES, sheet_of
from cv_pipelines.images.stored import stored_images
from cv_pipelines.partitions import DATASETS
from cv_pipelines.reports.figures import round_curves
from cv_pipelines.storage.bundles import Bundle, Reference
from resources.catalog import CatalogResource


class QueueConfig(StepConfig, QueueParameters):
    """What a person may set about a queue."""


@asset(
    group_name="annotations",
    kinds={"numpy"},
    partitions_def=DATASETS,
    code_version="1",
    automation_condition=ON_NEW_DATA,
    # of these it takes what there is: the first labels are asked for before there is any model
    deps=["labels", "champion_model", "predictions", "image_embeddings"],
    **COMMON,
)
def label_queue(
    context: AssetExecutionContext, config: QueueConfig, catalog: CatalogResource, image_manifest: Reference
) -> MaterializeResult[Reference]:
    """The images whose labels would help most, in the order in which to label them, each with a reason."""
    with mapped_errors():
        cat, dataset = catalog.open(), context.partition_key
        before = cat.current(ASSET, dataset)
        outcome = make_queue(cat, dataset, image_manifest, QueueParameters(**config.model_dump()))
        same = before is not None and before.version == outcome.reference.version
        outcome = replace(outcome, reused=outcome.reused or same)
        return materialized(outcome, _shown(cat, image_manifest, outcome.bundle) | _gained(cat, dataset))


def _shown(catalog: Catalog, manifest: Reference, queue: Bundle) -> Metadata:
    """The first images, and why they are asked for."""
    rows, facts = queue.table("queue").slice(0, TILES).to_pylist(), queue.facts
    sheet = sheet_of(stored_images(catalog.open(manifest)), [row["image_id"] for row in rows])
    return {
        "preview": picture(sheet, "image/jpeg"),
        "queue": table([{**row, "score": round(row["score"], 4)} for row in rows]),
        "strategies": MetadataValue.json(facts["counts"]),
        "parameters": MetadataValue.json(facts["parameters"]),
        "model_version": MetadataValue.text(facts["model"] or "no champion has looked at these images yet"),
        "labels_version": MetadataValue.text(facts["labels"]),
        **numbers(facts),
    }


def _gained(catalog: Catalog, dataset: str) -> Metadata:
    """What rounds were worth whose models have been judged on the present test split: two of them at least."""
    if catalog.current("dataset_splits", dataset) is None:
        return {}
    judged = [one for one in read_rounds(catalog, dataset, judge=False) if one.accuracy is not None]
    if len(judged) < 2:
        return {}
    curves = {name: [getattr(one, name) for one in judged] for name in ("accuracy", "macro_f1")}
    return {"rounds": picture(round_curves([sum(one.labelled.values()) for one in judged], curves))}
