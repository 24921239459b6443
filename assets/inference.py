"""What the champion says about every image, and whether it still may."""

from dagster import AssetExecutionContext, MaterializeResult, asset

from assets.automation import ON_NEW_DATA
from assets.needs import PREDICTION, gpu_tags
from assets.results import COMMON, materialized, numbers, picture
from cv_pipelines.execution.failures import mapped_errors
from cv_pipelines.execution.progress import log_progress
from cv_pipelines.models.embedding import embed_dataset
from cv_pipelines.models.prediction import measure_drift, predict_dataset
from cv_pipelines.partitions import DATASETS
from cv_pipelines.reports.figures import class_histogram, drift_bars
from cv_pipelines.storage.bundles import Reference
from resources.catalog import CatalogResource


@asset(
    group_name="inference",
    kinds={"keras", "parquet"},
    partitions_def=DATASETS,
    code_version="2",
    automation_condition=ON_NEW_DATA,
    pool=PREDICTION,
    op_tags=gpu_tags(),
    **COMMON,
)
def predictions(
    context: AssetExecutionContext,
    catalog: CatalogResource,
    image_manifest: Reference,
    champion_model: Reference,
) -> MaterializeResult[Reference]:
    """The champion's class, its probability, the next best one's, and entropy for every image."""
    with mapped_errors():
        outcome = predict_dataset(catalog.open(), champion_model, image_manifest, log_progress(context))
        facts = outcome.bundle.facts
        return materialized(outcome, {"preview": picture(class_histogram(facts["counts"])), **numbers(facts)})


@asset(
    group_name="inference",
    kinds={"pandas"},
    partitions_def=DATASETS,
    code_version="1",
    automation_condition=ON_NEW_DATA,
    **COMMON,
)
def prediction_drift(
    context: AssetExecutionContext,
    catalog: CatalogResource,
    image_manifest: Reference,
    champion_model: Reference,
    predictions: Reference,
) -> MaterializeResult[Reference]:
    """How far images and predictions are from what the champion was trained on."""
    with mapped_errors():
        outcome = measure_drift(catalog.open(), predictions, champion_model, image_manifest)
        facts = outcome.bundle.facts
        metadata = {"preview": picture(drift_bars(facts["indices"], facts["limit"]))}
        return materialized(outcome, metadata | numbers(facts["indices"]))


@asset(
    group_name="inference",
    kinds={"keras", "parquet"},
    partitions_def=DATASETS,
    code_version="1",
    automation_condition=ON_NEW_DATA,
    pool=PREDICTION,
    op_tags=gpu_tags(),
    **COMMON,
)
def image_embeddings(
    context: AssetExecutionContext,
    catalog: CatalogResource,
    image_manifest: Reference,
    champion_model: Reference,
) -> MaterializeResult[Reference]:
    """Where the champion sees every image: what its last layer gets. Images that are near are alike to it."""
    with mapped_errors():
        outcome = embed_dataset(catalog.open(), champion_model, image_manifest, log_progress(context))
        return materialized(outcome, numbers(outcome.bundle.facts))
