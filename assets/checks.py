"""The checks of every asset that has some: one step per asset."""

from collections.abc import Iterator

from dagster import (
    AssetCheckExecutionContext,
    AssetCheckResult,
    AssetChecksDefinition,
    PartitionsDefinition,
    multi_asset_check,
)

from cv_pipelines.execution.failures import STEP_RETRIES, mapped_errors
from cv_pipelines.partitions import DATASETS, VIDEOS
from cv_pipelines.quality.bridge import asset_check_result, check_specs
from cv_pipelines.quality.motion_rules import MOTION_RULES
from cv_pipelines.quality.rules import DATASET_RULES
from resources.catalog import CatalogResource


def make_checks(asset: str, partitions: PartitionsDefinition[str]) -> AssetChecksDefinition:
    """The checks of one asset."""

    @multi_asset_check(
        specs=check_specs(asset, partitions),
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


DATASET_CHECKS = [make_checks(asset, DATASETS) for asset in DATASET_RULES]
VIDEO_CHECKS = [make_checks(asset, VIDEOS) for asset in MOTION_RULES]
