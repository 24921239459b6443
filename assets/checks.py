"""The checks of every asset that has some: one step per asset."""

from collections.abc import Iterator

from dagster import AssetCheckExecutionContext, AssetCheckResult, AssetChecksDefinition, multi_asset_check

from cv_pipelines.execution.failures import STEP_RETRIES, mapped_errors
from cv_pipelines.partitions import DATASETS
from cv_pipelines.quality.bridge import asset_check_result, check_specs
from resources.catalog import CatalogResource


def make_checks(asset: str) -> AssetChecksDefinition:
    """The checks of one asset."""

    @multi_asset_check(
        specs=check_specs(asset, DATASETS),
        name=f"{asset}_checks",
        description=f"What must hold of {asset}.",
        retry_policy=STEP_RETRIES,
    )
    def checks(context: AssetCheckExecutionContext, catalog: CatalogResource) -> Iterator[AssetCheckResult]:
        from cv_pipelines.quality.validation import check_asset  # with Great Expectations: seconds

        with mapped_errors():
            results = check_asset(catalog.open(), asset, context.partition_key)
        for result in results:
            yield asset_check_result(asset, result)

    return checks


image_manifest_checks = make_checks("image_manifest")
labels_checks = make_checks("labels")
dataset_splits_checks = make_checks("dataset_splits")
model_evaluation_checks = make_checks("model_evaluation")
predictions_checks = make_checks("predictions")
prediction_drift_checks = make_checks("prediction_drift")
