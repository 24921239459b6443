"""What Dagster says of the runs of attempts, brought to the ledger."""

import math
import re
import time
from collections.abc import Mapping
from typing import Any, get_args

from dagster import (
    DagsterEventType,
    DagsterInstance,
    DagsterRun,
    DagsterRunStatus,
    EventLogEntry,
    RunRequest,
    RunsFilter,
)
from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES
from dagster._core.storage.tags import MAX_RETRIES_TAG, PARTITION_NAME_TAG, PRIORITY_TAG

from cv_pipelines.errors import Source
from cv_pipelines.execution.attempts import ATTEMPT
from cv_pipelines.orchestration.failed_runs import describe_failure
from cv_pipelines.tasks.ledger.claims import Attempt
from cv_pipelines.tasks.ledger.closing import LOST, close, close_cancelled, close_done
from cv_pipelines.tasks.ledger.ledger import Ledger
from cv_pipelines.tasks.ledger.supervision import begin_or_resume
from cv_pipelines.tasks.ledger.work import Begun, SupersededError, heartbeat
from cv_pipelines.tasks.problem import TaskError

_TO_BEGIN = 5
"""Times longer than between heartbeats a run may take from its start until it begins: it loads libraries."""
_COPY = re.compile(r"\[.*\]$")
_UNTOLD = TaskError(
    source="internal",
    code="no_outcome",
    message="Its run has ended without an outcome. Please report it.",
)


def reconcile(
    ledger: Ledger, instance: DagsterInstance, attempt: Attempt, lost_after: float, watched: float
) -> list[int]:
    """Bring what became of an attempt's run to its tasks; returns ids of events.

    A run of an asset job is never silent, for its heartbeats are written here: where its process is gone,
    Dagster fails it; where that is frozen, the task waits until `max_runtime_seconds` ends the run, or a person.

    Args:
        ledger: where the attempt is.
        instance: where the run is.
        attempt: an open one.
        lost_after: seconds without a heartbeat that a run may be silent.
        watched: seconds for which somebody has been listening: what was not heard before counts for nothing.
    """
    run = run_of(instance, attempt)
    if attempt.tasks == 0:  # all were cancelled, or are past their deadline
        if run is not None and not run.is_finished:
            stop_run(instance, run)
        return close(ledger, attempt.id, _UNTOLD)
    if run is None:
        return _without_run(ledger, attempt)
    if run.is_finished:
        return _after_run(ledger, instance, attempt, run)
    if attempt.kind.together is None:
        return _beside_run(ledger, instance, attempt, run)
    silent = attempt.silent if attempt.begun else _seconds_since_start(instance, run) / _TO_BEGIN
    if min(silent, watched) > lost_after:
        told = close(ledger, attempt.id, LOST)
        stop_run(instance, run)
        return told
    return []


def _seconds_since_start(instance: DagsterInstance, run: DagsterRun) -> float:
    """How long a run has been executing, by Dagster's clock; 0 where it is not."""
    record = instance.get_run_record_by_id(run.run_id)
    return time.time() - record.start_time if record and record.start_time else 0.0


def request_of(instance: DagsterInstance, attempt: Attempt, partition: str | None) -> RunRequest | None:
    """What asks for the run of an attempt, every tick until it is on its way; None where it is, or is not needed.

    A run that was made and not submitted, for want of the database or of the daemon, is asked for again:
    Dagster then takes the same one, by its key.
    """
    run = run_of(instance, attempt)
    if attempt.wanted == 0 or (run is not None and run.status != DagsterRunStatus.NOT_STARTED):
        return None
    settings = attempt.kind.settings(attempt.params) if attempt.kind.settings and attempt.params else {}
    return RunRequest(
        run_key=f"attempt:{attempt.id}",
        job_name=attempt.kind.job,
        run_config={"ops": {step: {"config": dict(values)} for step, values in settings.items()}},
        tags={ATTEMPT: str(attempt.id), MAX_RETRIES_TAG: "0", PRIORITY_TAG: str(attempt.priority)},
        partition_key=partition,
    )


def run_of(instance: DagsterInstance, attempt: Attempt) -> DagsterRun | None:
    """The run that does an attempt: the one that has begun it, else the first that still may, else the last one.

    Two daemons may have made two; one that is executing, or has done it between two looks, comes before one
    that waits.
    """
    if attempt.run_id is not None:
        return instance.get_run_by_id(attempt.run_id)
    runs = instance.get_runs(RunsFilter(tags={ATTEMPT: str(attempt.id)}))
    open_ones = [run for run in reversed(runs) if not run.is_finished]
    executing = [run for run in open_ones if run.status == DagsterRunStatus.STARTED]
    done = [run for run in runs if run.is_success]
    return next(iter([*executing, *done, *open_ones, *runs]), None)


def stop_run(instance: DagsterInstance, run: DagsterRun) -> None:
    """Ask a run to stop, once; whether it does changes nothing for its tasks."""
    if run.status == DagsterRunStatus.CANCELING:
        return
    try:
        instance.run_coordinator.cancel_run(run.run_id)
    except Exception as error:  # noqa: BLE001 - whatever its launcher raises
        instance.report_engine_event(f"Nobody needs this run any more, and it cannot be stopped: {error}", run)


def _begin(ledger: Ledger, instance: DagsterInstance, attempt: Attempt, run: DagsterRun) -> Begun | None:
    """Begin an attempt, or go on, for a run of an asset job; None where it is another run's, or over.

    Other runs of the attempt are stopped: they do not ask whether they are the first, and would do it all again.
    """
    begun = begin_or_resume(ledger, attempt.id, run.run_id)
    if begun is not None:
        unfinished = RunsFilter(statuses=NOT_FINISHED_STATUSES, tags={ATTEMPT: str(attempt.id)})
        for other in instance.get_runs(unfinished):
            if other.run_id != run.run_id:
                stop_run(instance, other)
    return begun


def _without_run(ledger: Ledger, attempt: Attempt) -> list[int]:
    """A run that has begun and is not there any more was deleted; one that never was is asked for again."""
    if attempt.run_id is not None or attempt.wanted == 0:
        return close(ledger, attempt.id, LOST)
    return []


def _after_run(ledger: Ledger, instance: DagsterInstance, attempt: Attempt, run: DagsterRun) -> list[int]:
    match run.status:
        case DagsterRunStatus.SUCCESS if attempt.kind.together is None:
            # it may have started and ended since the last tick
            begun = _begin(ledger, instance, attempt, run)
            told = begun.events if begun else []
            return [*told, *close_done(ledger, attempt.id, _result(instance, attempt, run))]
        case DagsterRunStatus.SUCCESS:
            return close(ledger, attempt.id, _UNTOLD)
        case DagsterRunStatus.CANCELED:
            return close_cancelled(ledger, attempt.id)
        case _:
            return close(ledger, attempt.id, _error(instance, run))


def _beside_run(ledger: Ledger, instance: DagsterInstance, attempt: Attempt, run: DagsterRun) -> list[int]:
    """Stand in for a run of an asset job, which knows nothing of tasks: begin, heartbeat, cancel."""
    if attempt.wanted == 0:
        stop_run(instance, run)
    elif run.status != DagsterRunStatus.STARTED:
        return []
    begun = _begin(ledger, instance, attempt, run)
    if begun is None:
        return []
    share = _share(instance, run)
    progress = {task.id: share for task in begun.tasks if share > (task.progress or 0.0)}
    try:
        return [*begun.events, *heartbeat(ledger, begun, progress).events]
    except SupersededError:  # another daemon was quicker
        return begun.events


def _share(instance: DagsterInstance, run: DagsterRun) -> float:
    """How many of a run's steps are behind it."""
    snapshot = instance.get_execution_plan_snapshot(run.execution_plan_snapshot_id or "")
    planned = len(snapshot.step_keys_to_execute) if snapshot else 0
    # of steps of which there are as many as something has parts, the plan knows one
    done = {
        _COPY.sub("[?]", entry.step_key or "") for entry in _entries(instance, run, DagsterEventType.STEP_SUCCESS)
    }
    return round(len(done) / planned, 2) if planned else 0.0


def _result(instance: DagsterInstance, attempt: Attempt, run: DagsterRun) -> dict[str, Any]:
    """The result of a kind without `together`: what its run has materialized."""
    made = []
    for entry in _entries(instance, run, DagsterEventType.ASSET_MATERIALIZATION):
        event = entry.dagster_event
        if event is None:
            continue
        materialization = event.step_materialization_data.materialization
        facts = _facts({name: value.value for name, value in materialization.metadata.items()})
        version = (materialization.tags or {}).get("dagster/data_version", "")
        made.append({"asset": materialization.asset_key.to_user_string(), "version": version, "facts": facts})
    return attempt.kind.outcome(run.tags[PARTITION_NAME_TAG], made)


def _facts(metadata: Mapping[str, Any]) -> dict[str, float | str]:
    """What is a number, or a short text; pictures and tables stay in the UI."""
    kept = {}
    for name, value in metadata.items():
        plain = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        if (plain or (isinstance(value, str) and len(value) <= 200)) and not name.startswith("dagster/"):
            kept[name] = value
    return kept


def _error(instance: DagsterInstance, run: DagsterRun) -> TaskError:
    """Why a run has failed, as its tasks' callers are told."""
    steps = [entry.dagster_event for entry in _entries(instance, run, DagsterEventType.STEP_FAILURE)]
    told = describe_failure(instance, run, LOST.message, [one for one in steps if one is not None], "")
    source: Source = told["source"] if told["source"] in get_args(Source) else "internal"  # type: ignore[assignment]
    if not steps:
        return LOST
    return TaskError(source=source, code=str(told["code"]), message=str(told["message"]))


def _entries(instance: DagsterInstance, run: DagsterRun, kind: DagsterEventType) -> list[EventLogEntry]:
    return list(instance.all_logs(run.run_id, of_type=kind))
