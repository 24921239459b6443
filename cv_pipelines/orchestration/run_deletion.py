"""Runs in the way of deleting images, and runs that go with them: their events hold pictures."""

from collections.abc import Collection, Iterable
from pathlib import Path

from dagster import DagsterInstance, DagsterRun, DagsterRunStatus, RunsFilter
from dagster._core.execution.stats import StepEventStatus
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable, AssetKeyTable
from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage
from dagster._core.storage.event_log.sqlite import SqliteEventLogStorage
from dagster._core.storage.tags import PARTITION_NAME_TAG

from cv_pipelines.errors import InputError
from cv_pipelines.orchestration.lost_runs import end_lost_runs

_AT_WORK = [DagsterRunStatus.STARTING, DagsterRunStatus.STARTED, DagsterRunStatus.CANCELING]
_INGEST = "image_manifest"
_ENDED = {StepEventStatus.SUCCESS, StepEventStatus.FAILURE, StepEventStatus.SKIPPED}


def require_quiet(instance: DagsterInstance, datasets: Collection[str]) -> None:
    """Make sure that nobody reads or writes what is about to be deleted.

    No run may be at work on these data sets, and no ingest on any: it may have read the same images,
    and noted it nowhere yet.

    Raises:
        InputError: code `busy`.
    """
    end_lost_runs(instance)
    for run in instance.get_runs(RunsFilter(statuses=_AT_WORK)):
        dataset = run.tags.get(PARTITION_NAME_TAG, "")
        if dataset in datasets or _is_ingesting(instance, run):
            message = f"Run {run.run_id} is at work on '{dataset}': wait until it has ended, then run this again."
            raise InputError("busy", message)


def require_no_runs(instance: DagsterInstance) -> None:
    """Make sure that nobody makes anything.

    Raises:
        InputError: code `busy`.
    """
    end_lost_runs(instance)
    runs = instance.get_runs(RunsFilter(statuses=_AT_WORK), limit=1)
    if runs:
        message = f"Run {runs[0].run_id} is at work, and makes things that are not in use yet. "
        raise InputError("busy", f"{message}Wait until it has ended, or leave at least 2 days of grace.")


def runs_of(instance: DagsterInstance, dataset: str) -> list[str]:
    """Ids of the runs of a data set, newest first."""
    return [run.run_id for run in instance.get_runs(RunsFilter(tags={PARTITION_NAME_TAG: dataset}))]


def present_runs(instance: DagsterInstance, run_ids: Collection[str]) -> list[str]:
    """Those of some runs that the instance has."""
    return [run.run_id for run in instance.get_runs(RunsFilter(run_ids=list(run_ids)))] if run_ids else []


def delete_runs(instance: DagsterInstance, run_ids: Iterable[str], logs: Path) -> None:
    """Delete runs with their events, pictures and logs.

    Args:
        instance: where they are recorded.
        run_ids: which ones.
        logs: folder of what runs printed that executed in the process of a command.
    """
    for run_id in run_ids:
        instance.delete_run(run_id)
        instance.compute_log_manager.delete_logs(prefix=[run_id])
        (logs / f"{run_id}.log").unlink(missing_ok=True)
        _drop_what_is_beside(instance, run_id)


def _is_ingesting(instance: DagsterInstance, run: DagsterRun) -> bool:
    plan = run.execution_plan_snapshot_id
    if plan and _INGEST not in instance.get_execution_plan_snapshot(plan).step_keys_to_execute:
        return False
    return not any(step.status in _ENDED for step in instance.get_run_step_stats(run.run_id, [_INGEST]))


def _drop_what_is_beside(instance: DagsterInstance, run_id: str) -> None:
    """Dagster keeps results of checks, and the last materialization of each asset, beside the events.

    It forgets them with no run. Where there is no last materialization it looks at the events.
    """
    storage = instance.event_log_storage
    if isinstance(storage, SqlEventLogStorage):
        from_it = AssetKeyTable.c.last_materialization.contains(run_id)
        with storage.index_connection() as connection:
            connection.execute(AssetKeyTable.update().where(from_it).values(last_materialization=None))
            checks = AssetCheckExecutionsTable.delete().where(AssetCheckExecutionsTable.c.run_id == run_id)
            connection.execute(checks)
    if isinstance(storage, SqliteEventLogStorage):  # a file for each run, empty now
        Path(storage.path_for_shard(run_id)).unlink(missing_ok=True)
