"""Removing a data set everywhere: its records and bytes, its partition, its runs with their pictures."""

from dagster import DagsterInstance

from cv_pipelines.catalog import Catalog
from cv_pipelines.images.datasets import Dataset
from cv_pipelines.orchestration.instance import delete_partition
from cv_pipelines.orchestration.run_deletion import delete_runs, require_quiet, runs_of
from cv_pipelines.retention.caches import clear
from cv_pipelines.retention.removal import Removal, plan_removal, remove
from cv_pipelines.settings import Settings


def remove_everywhere(
    instance: DagsterInstance, catalog: Catalog, settings: Settings, dataset: Dataset
) -> tuple[Removal, int]:
    """Remove a data set; the records that name it go last, so that until then this can be repeated.

    Returns:
        What went with it, and how many of its objects are left: 0.

    Raises:
        InputError: a run is at work on it, or an ingest on another; or something of it is in use elsewhere.
    """
    require_quiet(instance, [dataset.name])
    removal = plan_removal(catalog, dataset)
    delete_runs(instance, runs_of(instance, dataset.name), settings.state / "logs")
    delete_partition(instance, dataset.name)
    clear(settings.cache)
    (settings.state / "reports" / f"{dataset.name}.html").unlink(missing_ok=True)
    return removal, remove(catalog, removal)
