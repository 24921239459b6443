"""The last lines of a run's log, as somebody reads them who wants to know why it failed."""

from collections.abc import Iterator
from datetime import UTC, datetime

from dagster import DagsterInstance, EventLogEntry
from dagster_shared.error import SerializableErrorInfo

MOST_LINES = 50
_MOST_EVENTS = 60
_LONGEST = 400
"""Characters of a line."""


def last_lines(instance: DagsterInstance, run_id: str, most: int = MOST_LINES) -> list[str]:
    """The last lines, oldest first; none where the run is not known any more.

    Read is only the end of the log, however long that is.
    """
    events = instance.get_records_for_run(run_id, limit=_MOST_EVENTS, ascending=False)
    lines = [line for record in reversed(events.records) for line in _lines(record.event_log_entry)]
    return [line[:_LONGEST] for line in lines[-most:]]


def _lines(entry: EventLogEntry) -> Iterator[str]:
    """What an event says, and where it is about an error, what was raised with its trace."""
    event = entry.dagster_event
    text = entry.user_message or (event.message if event else "") or ""
    if not text:
        return
    time = datetime.fromtimestamp(entry.timestamp, UTC).strftime("%H:%M:%S")
    first, *more = text.strip().splitlines()
    yield f"{time} {entry.step_key or 'run'}: {first}"
    yield from more
    if event is not None and event.is_step_failure:
        yield from _error_lines(event.step_failure_data.error)


def _error_lines(error: SerializableErrorInfo | None) -> Iterator[str]:
    while error is not None:
        yield from error.message.strip().splitlines()
        for frame in error.stack:
            yield from frame.rstrip().splitlines()
        error = error.cause
