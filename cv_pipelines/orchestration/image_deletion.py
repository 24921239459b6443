"""Forgetting an image everywhere: in the store, in data sets, in caches, and in what runs have shown."""

import getpass
from dataclasses import dataclass

from dagster import DagsterInstance

from cv_pipelines.catalog import Catalog
from cv_pipelines.images.versions import MANIFEST
from cv_pipelines.orchestration.materializations import report_version, reported_version
from cv_pipelines.orchestration.run_deletion import delete_runs, present_runs, require_quiet
from cv_pipelines.progress import Progress, silent
from cv_pipelines.retention.caches import clear
from cv_pipelines.retention.copies import Copies, delete_copies, find_copies
from cv_pipelines.retention.forgetting import forget_labels, leave_out, refuse_from_now_on
from cv_pipelines.retention.tracing import Trace, trace
from cv_pipelines.settings import Settings


@dataclass(frozen=True)
class Deletion:
    """What a deletion came to.

    Attributes:
        found: what there was of the image.
        bytes: how many of it were overwritten or deleted in the store.
        new_versions: without it, by data set.
        runs: ids of runs whose previews may show it.
        runs_deleted: whether those were deleted.
        left: what another search of the whole store has found: nothing.
    """

    found: Trace
    bytes: int
    new_versions: dict[str, str]
    runs: list[str]
    runs_deleted: bool
    left: Copies


def forget_image(
    instance: DagsterInstance,
    catalog: Catalog,
    settings: Settings,
    image_id: str,
    why: str,
    with_runs: bool = False,
    progress: Progress = silent,
) -> Deletion:
    """Delete every copy of an image, and search again. Killed anywhere, it can be repeated and ends the work.

    Args:
        instance: of Dagster.
        catalog: where artefacts are.
        settings: where caches and reports are.
        image_id: all digits of it.
        why: for the record.
        with_runs: delete the runs whose previews may show it.
        progress: is told of versions and packs.

    Raises:
        InputError: there is no such image; or a run is at work that may read it. From then on no ingest
            takes it in, but it has to be asked for again.
    """
    refuse_from_now_on(catalog.database, image_id, getpass.getuser(), why)
    found = trace(catalog, image_id, progress)
    require_quiet(instance, found.datasets)
    new_versions = leave_out(catalog, image_id)
    forget_labels(catalog.database, image_id, getpass.getuser())
    _tell_dagster(instance, catalog, found.datasets)
    size = delete_copies(catalog, found.copies)
    clear(settings.cache)
    for dataset in found.datasets:
        (settings.state / "reports" / f"{dataset}.html").unlink(missing_ok=True)
    runs = present_runs(instance, found.runs)
    if with_runs:
        delete_runs(instance, runs, settings.state / "logs")
    left = find_copies(catalog.store, image_id, progress)
    return Deletion(found, size, new_versions, runs, with_runs, left)


def _tell_dagster(instance: DagsterInstance, catalog: Catalog, datasets: list[str]) -> None:
    """Report the versions at which data sets stand, where Dagster knows another one."""
    for dataset in datasets:
        current = catalog.current(MANIFEST, dataset)
        if current is not None and reported_version(instance, MANIFEST, dataset) != current.version:
            report_version(instance, MANIFEST, dataset, current.version, "An image was forgotten.")
