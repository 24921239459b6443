"""What the images of a data set show, and who learns from which."""

from dataclasses import replace

from dagster import AssetExecutionContext, MaterializeResult, asset

from assets.automation import ON_NEW_DATA
from assets.results import COMMON, materialized, numbers, picture
from cv_pipelines.annotations.labels import make_labels
from cv_pipelines.annotations.splits import SplitParameters, make_splits
from cv_pipelines.execution.failures import mapped_errors
from cv_pipelines.execution.parameters import StepConfig
from cv_pipelines.images.datasets import find_dataset
from cv_pipelines.partitions import DATASETS
from cv_pipelines.reports.figures import class_histogram
from cv_pipelines.storage.bundles import Reference
from resources.catalog import CatalogResource


class SplitConfig(StepConfig, SplitParameters):
    """How new images are shared out."""


@asset(
    group_name="annotations",
    kinds={"parquet"},
    partitions_def=DATASETS,
    code_version="1",
    automation_condition=ON_NEW_DATA,
    **COMMON,
)
def labels(
    context: AssetExecutionContext, catalog: CatalogResource, image_manifest: Reference
) -> MaterializeResult[Reference]:
    """What is known of each image: a version of the label store, with what the source says now."""
    with mapped_errors():
        cat = catalog.open()
        dataset = find_dataset(cat.database, context.partition_key)
        outcome = make_labels(cat, dataset.name, image_manifest, dataset.classes)
        facts = outcome.bundle.facts
        metadata = {"preview": picture(class_histogram(facts["counts"])), **numbers(facts)}
        return materialized(outcome, metadata | numbers({"classes": len(facts["classes"])}))


@asset(
    group_name="annotations",
    kinds={"parquet"},
    partitions_def=DATASETS,
    code_version="1",
    automation_condition=ON_NEW_DATA,
    **COMMON,
)
def dataset_splits(
    context: AssetExecutionContext,
    config: SplitConfig,
    catalog: CatalogResource,
    image_manifest: Reference,
    labels: Reference,
) -> MaterializeResult[Reference]:
    """Training, validation and test: an image once assigned stays where it is."""
    with mapped_errors():
        cat = catalog.open()
        previous = cat.current("dataset_splits", context.partition_key)
        parameters = SplitParameters(**config.model_dump())
        outcome = make_splits(cat, image_manifest, labels, previous, parameters)
        facts = outcome.bundle.facts
        same = previous is not None and previous.version == outcome.reference.version
        outcome = replace(outcome, reused=outcome.reused or same)
        return materialized(outcome, numbers(facts["counts"]) | numbers(facts))
