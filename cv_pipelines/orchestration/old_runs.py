"""Runs that ended long ago, and that nothing current is shown from: they go, with their events and logs."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import chain, islice
from pathlib import Path

from dagster import AssetKey, DagsterEventType, DagsterInstance, DagsterRunStatus, RunsFilter
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable, SqlEventLogStorageTable
from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage
from dagster._core.storage.runs.schema import RunsTable
from dagster._core.storage.runs.sql_run_storage import SqlRunStorage
from sqlalchemy import func, select

from cv_pipelines.orchestration.run_deletion import delete_runs
from cv_pipelines.tasks.kinds.registry import KINDS

_ENDED = [DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED]
_OF_TASKS = sorted({kind.job for kind in KINDS if kind.together})
"""Jobs that do nothing but tasks: the ledger has their results."""
_PAGE = 5000
_SECONDS = 15.0
"""For all of it: the tick that it is part of has other things to do, and ends after 60 s."""


def delete_old_runs(instance: DagsterInstance, task_days: float, run_days: float, most: int, logs: Path) -> int:
    """Delete runs that are old; the rest is left to the next time.

    Args:
        instance: where they are recorded.
        task_days: age of those that did nothing but tasks.
        run_days: age of all others.
        most: runs at most.
        logs: folder of what runs printed that executed in the process of a command.

    Returns:
        How many went.
    """
    until = time.monotonic() + _SECONDS
    old = _old_runs_of_tasks(instance, _ago(task_days), most)
    old += _old_runs_of_data(instance, _ago(run_days), most - len(old))
    gone = 0
    for run_id in old:
        if time.monotonic() > until:
            break
        delete_runs(instance, [run_id], logs)
        gone += 1
    return gone


def _ago(days: float) -> datetime:
    return datetime.now(UTC) - timedelta(days=days)


def _old_runs_of_tasks(instance: DagsterInstance, before: datetime, most: int) -> list[str]:
    old: list[str] = []
    for job in _OF_TASKS:
        ended = RunsFilter(job_name=job, statuses=_ENDED, created_before=before)
        if len(old) < most:
            old += [run.run_id for run in instance.get_runs(ended, limit=most - len(old), ascending=True)]
    return old


def _old_runs_of_data(instance: DagsterInstance, before: datetime, most: int) -> list[str]:
    """The oldest ones from which nothing current is shown; however many must stay, the others are found."""
    runs, events = instance.run_storage, instance.event_log_storage
    if not (isinstance(runs, SqlRunStorage) and isinstance(events, SqlEventLogStorage)):
        return []
    ended = _ended_runs(runs, before)
    first = next(ended, None)
    if first is None or most <= 0:
        return []
    current = set(chain.from_iterable(_current_runs(events, asset) for asset in events.all_asset_keys()))
    return list(islice((run for run in chain([first], ended) if run not in current), most))


def _ended_runs(storage: SqlRunStorage, before: datetime) -> Iterator[str]:
    """Ids of runs of data sets that have ended, oldest first; without their bodies, so that many are no burden."""
    last = 0
    wanted = (
        RunsTable.c.status.in_([status.value for status in _ENDED]),
        RunsTable.c.create_timestamp < before.replace(tzinfo=None),
        RunsTable.c.pipeline_name.not_in(_OF_TASKS),
    )
    query = select(RunsTable.c.id, RunsTable.c.run_id).where(*wanted).order_by(RunsTable.c.id).limit(_PAGE)
    while page := storage.fetchall(query.where(RunsTable.c.id > last)):
        yield from (row["run_id"] for row in page)
        last = page[-1]["id"]


def _current_runs(storage: SqlEventLogStorage, asset: AssetKey) -> set[str]:
    """Ids of runs with an asset's newest materialization of a partition, or a check's newest execution for one."""
    event, check = SqlEventLogStorageTable.c, AssetCheckExecutionsTable.c
    key, made = asset.to_string(), DagsterEventType.ASSET_MATERIALIZATION.value
    newest_events = (
        select(func.max(event.id))
        .where(event.asset_key == key, event.dagster_event_type == made)
        .group_by(event.partition)
    )
    newest_checks = (
        select(func.max(check.id)).where(check.asset_key == key).group_by(check.check_name, check.partition)
    )
    with storage.index_connection() as connection:
        made_by = connection.scalars(select(event.run_id).where(event.id.in_(newest_events)))
        checked_by = connection.scalars(select(check.run_id).where(check.id.in_(newest_checks)))
        return {*made_by, *checked_by}
