"""The jobs."""

from dagster import AssetSelection, define_asset_job

from cv_pipelines.execution.failures import STEP_RETRIES

loop = define_asset_job(
    "loop",
    AssetSelection.groups("datasets", "annotations", "models", "inference"),
    description="A data set from its source to predictions: ingest, check, split, train, judge, promote, predict.",
    op_retry_policy=STEP_RETRIES,
)

sync = define_asset_job(
    "sync",
    AssetSelection.assets("image_manifest"),
    description="A look at the source of a data set: ingest and check, and nothing that follows from it.",
    op_retry_policy=STEP_RETRIES,
)
