"""Watching a run from outside: its event log, as lines for people."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from dagster import DagsterEvent, DagsterEventType, DagsterInstance, EventLogEntry

from cv_pipelines.errors import InternalError

POLL_SECONDS = 0.3


@dataclass(frozen=True)
class StepUpdate:
    """Something that happened in a step.

    Attributes:
        step: its name.
        state: `started`, `progress`, `succeeded`, `warned`, `retrying`, `failed` or `skipped`.
        message: a line of progress, what went wrong, which checks did not pass, what the gate decided,
            or that nothing had to be done.
        seconds: how long it took, once it has ended.
    """

    step: str
    state: str
    message: str = ""
    seconds: float = 0.0


@dataclass
class _Seen:
    """What earlier entries of the log have said about steps."""

    started: dict[str, float] = field(default_factory=dict)
    notes: dict[str, list[str]] = field(default_factory=dict)
    failed: bool = False

    def note(self, step: str, text: str) -> None:
        """Keep something to say when the step has ended."""
        self.notes.setdefault(step, []).append(text)

    def told(self, step: str) -> str:
        """Everything that was kept of a step."""
        return " ".join(self.notes.get(step, []))


def follow(
    instance: DagsterInstance, run_id: str, alive: Callable[[], bool] = lambda: True
) -> Iterator[StepUpdate]:
    """Yield what happens in a run until it has ended, or until who executes it is no longer alive."""
    seen = _Seen()
    cursor: str | None = None
    while True:
        ended = not alive()
        run = instance.get_run_by_id(run_id)
        ended = ended or (run is not None and run.is_finished)
        while run is not None:
            page = instance.get_records_for_run(run_id, cursor=cursor, limit=500)
            for record in page.records:
                update = _update(record.event_log_entry, seen)
                if update is not None:
                    yield update
            cursor = page.cursor
            if not page.has_more:
                break
        if ended:
            return
        time.sleep(POLL_SECONDS)


def succeeded(instance: DagsterInstance, run_id: str) -> bool:
    """Say how a run has ended."""
    run = instance.get_run_by_id(run_id)
    if run is None:
        raise InternalError("no_run", f"The run {run_id} is not on the instance.")
    return run.is_success


def _update(entry: EventLogEntry, seen: _Seen) -> StepUpdate | None:
    step, event = entry.step_key, entry.dagster_event
    if step is None:
        return _run_failure(event, seen)
    if event is None:
        return StepUpdate(step, "progress", entry.user_message)
    seconds = entry.timestamp - seen.started.get(step, entry.timestamp)
    match event.event_type:
        case DagsterEventType.STEP_START:
            seen.started.setdefault(step, entry.timestamp)
            return StepUpdate(step, "started")
        case DagsterEventType.ASSET_MATERIALIZATION:
            metadata = event.step_materialization_data.materialization.metadata
            if "verdict" in metadata:
                seen.note(step, str(metadata["verdict"].value))
            elif "unchanged" in metadata and metadata["unchanged"].value:
                seen.note(step, "unchanged, nothing to do")
            return None
        case DagsterEventType.ASSET_CHECK_EVALUATION:
            check = event.asset_check_evaluation_data
            if not check.passed:
                seen.note(step, f"{check.check_name}: {check.description}")
            return None
        case DagsterEventType.STEP_SUCCESS:
            state = "warned" if step.endswith("_checks") and step in seen.notes else "succeeded"
            return StepUpdate(step, state, seen.told(step), seconds)
        case DagsterEventType.STEP_UP_FOR_RETRY:
            return StepUpdate(step, "retrying", "it failed and is tried again", seconds)
        case DagsterEventType.STEP_SKIPPED:
            return StepUpdate(step, "skipped")
        case DagsterEventType.STEP_FAILURE:
            data = event.step_failure_data
            failure = data.user_failure_data
            seen.failed = True
            error = data.error.message.strip() if data.error else "no reason was recorded"
            told = failure.description if failure else None
            return StepUpdate(step, "failed", told or seen.told(step) or error, seconds)
        case _:
            return None


def _run_failure(event: DagsterEvent | None, seen: _Seen) -> StepUpdate | None:
    """A run that failed outside of its steps says so itself."""
    if event is None or event.event_type != DagsterEventType.RUN_FAILURE or seen.failed:
        return None
    error = event.job_failure_data.error
    return StepUpdate("run", "failed", error.message.strip() if error else event.message or "")
