"""Images of a data set."""

from dagster import AssetExecutionContext, MaterializeResult, MetadataValue, asset

from assets.results import COMMON, materialized, numbers, picture, table
from cv_pipelines.execution.failures import mapped_errors
from cv_pipelines.execution.progress import log_progress
from cv_pipelines.images.contact_sheet import sheet_of
from cv_pipelines.images.datasets import find_dataset
from cv_pipelines.images.ingest import ingest
from cv_pipelines.images.sources.factory import open_source
from cv_pipelines.partitions import DATASETS
from cv_pipelines.storage.bundles import Reference
from resources.catalog import CatalogResource
from resources.machine import MachineResource


@asset(group_name="datasets", kinds={"parquet", "pillow"}, partitions_def=DATASETS, code_version="1", **COMMON)
def image_manifest(
    context: AssetExecutionContext, catalog: CatalogResource, machine: MachineResource
) -> MaterializeResult[Reference]:
    """Every distinct image of the data set's source, decoded and checked once; bad files in quarantine."""
    with mapped_errors():
        cat = catalog.open()
        dataset = find_dataset(cat.database, context.partition_key)
        outcome = ingest(cat, open_source(dataset.source), machine.workers, log_progress(context))
        ids = outcome.bundle.table("images", ["image_id"])["image_id"].to_pylist()
        return materialized(
            outcome,
            {
                "preview": picture(sheet_of(cat.store, ids), "image/jpeg"),
                "quarantine": table(outcome.bundle.table("quarantine").slice(0, 100).to_pylist()),
                "source": MetadataValue.text(dataset.source),
                **numbers(outcome.bundle.facts),
            },
        )
