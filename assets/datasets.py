"""Images of a data set."""

from dagster import AssetExecutionContext, MaterializeResult, MetadataValue, asset
from pydantic import Field

from assets.results import COMMON, Metadata, materialized, numbers, picture, table
from cv_pipelines.catalog import Outcome
from cv_pipelines.execution.failures import mapped_errors
from cv_pipelines.execution.parameters import StepConfig
from cv_pipelines.execution.progress import StepProgress
from cv_pipelines.images.contact_sheet import sheet_of
from cv_pipelines.images.datasets import find_dataset
from cv_pipelines.images.decisions import wishes_of
from cv_pipelines.images.ingest import ingest
from cv_pipelines.images.quarantine import files_of, quarantine_sheet
from cv_pipelines.images.sources.factory import open_source
from cv_pipelines.images.stored import stored_images
from cv_pipelines.images.versions import keep_version, kept_version
from cv_pipelines.partitions import DATASETS
from cv_pipelines.storage.bundles import Bundle, Reference
from resources.catalog import CatalogResource
from resources.machine import MachineResource


class IngestConfig(StepConfig):
    """What a person may ask of an ingest."""

    retry_quarantined: bool = Field(False, description="Read the files in quarantine again.")
    follow_source: bool = Field(False, description="No longer stay at a version that somebody has gone back to.")


@asset(group_name="datasets", kinds={"parquet", "pillow"}, partitions_def=DATASETS, code_version="2", **COMMON)
def image_manifest(
    context: AssetExecutionContext, config: IngestConfig, catalog: CatalogResource, machine: MachineResource
) -> MaterializeResult[Reference]:
    """Every distinct image of the data set's source, decoded and checked once; bad files in quarantine."""
    with mapped_errors():
        cat = catalog.open()
        dataset = find_dataset(cat.database, context.partition_key)
        source = {"source": MetadataValue.text(dataset.source)}
        kept = None if config.follow_source else kept_version(cat, dataset)
        if kept is not None:
            context.log.info(f"A person has gone back to {kept.version}: 'dataset sync' follows the source again.")
            return materialized(Outcome(kept, cat.open(kept), reused=True), source | _shown(cat.open(kept)))
        wishes = wishes_of(cat.database, dataset.name, config.retry_quarantined)
        previous = cat.current("image_manifest", dataset.name)
        files = open_source(dataset.source)
        outcome = ingest(cat, files, machine.workers, StepProgress(context, cat.database), previous, wishes)
        keep_version(cat.database, dataset.name, None)
        return materialized(outcome, source | _shown(outcome.bundle))


def _shown(manifest: Bundle) -> Metadata:
    """What to look at: images, and the files that are not used with what to do about them."""
    images, refused = stored_images(manifest), files_of(manifest, limit=100)
    shown: Metadata = {"preview": picture(sheet_of(images, images.ids.to_pylist()), "image/jpeg")}
    if refused:
        shown["quarantine_preview"] = picture(quarantine_sheet(manifest, refused), "image/jpeg")
    rows = [{"id": f.id, "file": f.path, "reason": f.reason, "what to do": f.advice} for f in refused]
    return {**shown, "quarantine": table(rows), **numbers(manifest.facts)}
