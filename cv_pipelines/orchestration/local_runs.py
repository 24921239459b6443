"""Runs that execute in the process of a command."""

from collections.abc import Mapping
from typing import Any

import psutil
from dagster import DagsterInstance, DagsterRun, DagsterRunStatus, JobDefinition, RunsFilter
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.execution.api import execute_run_iterator
from dagster._core.storage.tags import MAX_RETRIES_TAG, PARTITION_NAME_TAG

from cv_pipelines.errors import InputError
from cv_pipelines.orchestration.lost_runs import PROCESS, name_of


def create_run(
    instance: DagsterInstance, job: JobDefinition, partition: str, run_id: str, config: Mapping[str, Any]
) -> DagsterRun:
    """Record a run that this process is about to execute.

    Others see it from now on: of two that begin in the same moment, the one recorded first goes on.

    Raises:
        InputError: an earlier run is at work on the partition.
    """
    run = instance.create_run_for_job(
        job,
        run_id=run_id,
        run_config={**config, "loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        status=DagsterRunStatus.STARTING,
        tags={
            **job.run_tags,
            PARTITION_NAME_TAG: partition,
            PROCESS: name_of(run_id, psutil.Process()),
            MAX_RETRIES_TAG: "0",
        },
    )
    other = run_in_progress(instance, partition, before=run_id)
    if other is not None:
        instance.delete_run(run_id)
        raise InputError("busy", f"'{partition}' is being worked on by run {other}: wait until it has ended.")
    return run


def execute_here(instance: DagsterInstance, job: JobDefinition, run: DagsterRun) -> None:
    """Execute a recorded run in this process, visible on the instance like any other run.

    How it ends is on the instance; its events go there and not to the terminal.
    """
    in_process = job.as_ephemeral_job(resource_defs={}, input_values={})
    for _ in execute_run_iterator(InMemoryJob(in_process), run, instance):
        pass


def run_in_progress(
    instance: DagsterInstance, partition: str, queued: bool = False, before: str | None = None
) -> str | None:
    """The id of a run that is at work on a partition, None where there is none.

    Args:
        instance: where runs are recorded.
        partition: the data set.
        queued: whether one that waits for its turn counts.
        before: only runs that were recorded before this one.
    """
    at_work = [DagsterRunStatus.STARTING, DagsterRunStatus.STARTED, DagsterRunStatus.CANCELING]
    statuses = [*at_work, DagsterRunStatus.QUEUED] if queued else at_work
    same = RunsFilter(statuses=statuses, tags={PARTITION_NAME_TAG: partition})
    runs = instance.get_runs(same, cursor=before, limit=1)
    return runs[0].run_id if runs else None


def cancel(instance: DagsterInstance, run_id: str) -> None:
    """Mark a run as cancelled whose process is about to end."""
    run = instance.get_run_by_id(run_id)
    if run is not None and not run.is_finished:
        instance.report_run_canceled(run, "Interrupted by the person who started it.")
