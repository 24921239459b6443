"""The end of an attempt that did not finish its tasks: they are tried again, or it is final."""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import select

from cv_pipelines.database.task_tables import attempts
from cv_pipelines.tasks.ledger.changes import Change, apply, close_attempt, locked, unwanted, verdict
from cv_pipelines.tasks.ledger.ledger import AnyRow, Ledger
from cv_pipelines.tasks.ledger.outcomes import Done
from cv_pipelines.tasks.problem import TaskError

LOST = TaskError(
    source="infrastructure",
    code="lost",
    message="The process that worked on it has died or fallen silent.",
)


def close(ledger: Ledger, attempt: int, why: TaskError) -> list[int]:
    """Close an attempt whose run has ended or is lost; returns ids of events.

    What its process may still do counts for nothing from now on.
    """
    return _close(ledger, attempt, why.message, lambda task: verdict(task, why))


def close_cancelled(ledger: Ledger, attempt: int) -> list[int]:
    """Close an attempt whose run a person has cancelled: that cancels its tasks."""
    error = TaskError(source="input", code="cancelled", message="Its run was cancelled.")
    return _close(ledger, attempt, error.message, lambda task: Change(task, "cancelled", error=error))


def close_done(ledger: Ledger, attempt: int, result: Mapping[str, Any]) -> list[int]:
    """Close the attempt of a task that has a run of its own, which has succeeded."""
    return _close(ledger, attempt, "finished", lambda task: verdict(task, Done(result)), late_counts=False)


def _close(
    ledger: Ledger, attempt: int, reason: str, change: Callable[[AnyRow], Change], late_counts: bool = True
) -> list[int]:
    with ledger.database.begin() as connection:
        held = select(attempts.c.epoch).where(attempts.c.id == attempt, attempts.c.state == "open")
        # a run that is just committing holds it, perhaps for long (it may hang): the next tick asks again
        epoch = connection.scalar(held.with_for_update(skip_locked=True))
        if epoch is None:
            return []
        rows = locked(connection, attempt=attempt)
        changes = [(unwanted(task) if late_counts else None) or change(task) for task in rows]
        close_attempt(connection, attempt, reason)
        return apply(connection, ledger, changes, epoch)
