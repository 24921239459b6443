"""One change of some tasks' states, and the events that tell of it, inside a transaction."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from cv_pipelines.database.clock import from_now, now
from cv_pipelines.database.task_tables import attempts, events, tasks
from cv_pipelines.tasks.ledger.ledger import AnyRow, Ledger
from cv_pipelines.tasks.ledger.outcomes import Done, Outcome
from cv_pipelines.tasks.ledger.policy import retry_delay
from cv_pipelines.tasks.problem import TaskError
from cv_pipelines.tasks.states import FINAL, UNFINISHED, State

CANCELLED = TaskError(source="input", code="cancelled", message="Cancelled by request.")
_LATE = TaskError(source="input", code="deadline", message="It did not finish before its deadline.")
OWN_SECONDS = 15.0
"""For so long events are left to the process that has made them; then they are swept up."""
AT_ONCE = 500
"""Rows a statement: more gain nothing."""


@dataclass(frozen=True)
class Change:
    """What becomes of one task.

    Attributes:
        task: its row, with `id`, `last_event` and `reply`.
        state: the new one.
        progress: from 0 to 1, where something is known of it.
        result: of a task that has succeeded.
        error: of one that has not, also of one that is tried again.
        delay: seconds before it may be tried again; only of `queued`.
    """

    task: AnyRow
    state: State
    progress: float | None = None
    result: Mapping[str, Any] | None = None
    error: TaskError | None = None
    delay: float = 0.0


def locked(connection: Connection, *wanted: Any, attempt: int | None = None) -> Sequence[AnyRow]:
    """Unfinished tasks, held to the end of the transaction; in one order, so that no two wait for each other."""
    columns = (tasks.c[name] for name in ("id", "kind", "last_event", "reply", "attempts", "cancel", "deadline"))
    query = select(*columns, tasks.c.state, tasks.c.attempt, (tasks.c.deadline < now()).label("late"))
    query = query.where(tasks.c.state.in_(UNFINISHED), *wanted).order_by(tasks.c.id).with_for_update()
    if attempt is not None:
        query = query.where(tasks.c.attempt == attempt)
    return connection.execute(query).all()


def verdict(task: AnyRow, outcome: Outcome) -> Change:
    """What an outcome makes of a task: it is done, tried again if somebody still needs it, or failed."""
    if isinstance(outcome, Done):
        return Change(task, "succeeded", 1.0, result=outcome.result)
    delay = retry_delay(outcome.source, task.attempts)
    if delay is None:
        return Change(task, "failed", error=outcome)
    return unwanted(task) or Change(task, "queued", error=outcome, delay=delay)


def unwanted(task: AnyRow) -> Change | None:
    """What becomes of a task that nobody needs any more; None where somebody does."""
    if task.cancel:
        return Change(task, "cancelled", error=CANCELLED)
    if task.late:
        return Change(task, "expired", error=_LATE)
    return None


def apply(
    connection: Connection, ledger: Ledger, changes: Sequence[Change], epoch: int | None = None
) -> list[int]:
    """Write changes and their events; returns the ids of events that somebody has to be told of."""
    if not changes:
        return []
    final = [change for change in changes if change.state in FINAL]
    again = [change for change in changes if change.state == "queued"]
    if final:
        connection.execute(_FINISH, [_finished(change, epoch) for change in final])
    for delay in {change.delay for change in again}:
        rows = [{"task": change.task.id, "why": _json(change.error)} for change in again if change.delay == delay]
        connection.execute(_REQUEUE.values(not_before=from_now(delay)), rows)
    return record(connection, ledger, changes)


def record(connection: Connection, ledger: Ledger, changes: Iterable[Change]) -> list[int]:
    """Add an event for each change, numbered after the task's last one; `last_event` itself is the caller's."""
    return add_events(connection, [_event(ledger, change) for change in changes])


def add_events(connection: Connection, rows: Sequence[dict[str, Any]]) -> list[int]:
    """Insert events; returns the ids of those that somebody has to be told of."""
    told: list[int] = []
    for start in range(0, len(rows), AT_ONCE):
        some = rows[start : start + AT_ONCE]
        ids = connection.scalars(_RECORD, some).all()
        told += [key for key, row in zip(ids, some, strict=True) if row["pending"]]
    return told


def receivers(ledger: Ledger, reply: Mapping[str, Any] | None, state: State) -> list[str]:
    """Who has to be told: the exchange and webhooks of everything, a reply queue of the end."""
    found = ["exchange"] if ledger.has_broker else []
    if reply and reply.get("webhook"):
        found.append("webhook")
    if reply and reply.get("reply_to") and state in FINAL:
        found.append("reply")
    return found


def close_if_done(connection: Connection, attempt: int, reason: str) -> bool:
    """Close an attempt that has no unfinished task left; says whether it had none."""
    left = select(tasks.c.id).where(tasks.c.attempt == attempt, tasks.c.state.in_(UNFINISHED)).limit(1)
    if connection.execute(left).first() is not None:
        return False
    close_attempt(connection, attempt, reason)
    return True


def close_attempt(connection: Connection, attempt: int, reason: str) -> None:
    """Close an attempt: whoever is still at work on it is too late from now on."""
    same = update(attempts).where(attempts.c.id == attempt, attempts.c.state == "open")
    connection.execute(same.values(state="closed", closed_at=now(), reason=reason))


_RECORD = insert(events).values(next_at=from_now(OWN_SECONDS)).returning(events.c.id, sort_by_parameter_order=True)
_FINISH = (
    update(tasks)
    .where(tasks.c.id == bindparam("task"))
    .values(
        state=bindparam("to"),
        progress=bindparam("share"),
        result=bindparam("what", type_=tasks.c.result.type),
        error=bindparam("why", type_=tasks.c.error.type),
        epoch=bindparam("at_epoch"),
        finished_at=now(),
        last_event=tasks.c.last_event + 1,
    )
)
_REQUEUE = (
    update(tasks)
    .where(tasks.c.id == bindparam("task"))
    .values(
        state="queued",
        attempt=None,
        progress=None,
        error=bindparam("why", type_=tasks.c.error.type),
        last_event=tasks.c.last_event + 1,
    )
)


def _finished(change: Change, epoch: int | None) -> dict[str, Any]:
    return {
        "task": change.task.id,
        "to": change.state,
        "share": change.progress,
        "what": change.result,
        "why": _json(change.error),
        "at_epoch": epoch,
    }


def _event(ledger: Ledger, change: Change) -> dict[str, Any]:
    pending = receivers(ledger, change.task.reply, change.state)
    return {
        "task_id": change.task.id,
        "number": change.task.last_event + 1,
        "state": change.state,
        "progress": change.progress,
        "delivery": "open" if pending else "delivered",
        "pending": pending,
    }


def _json(error: TaskError | None) -> dict[str, str] | None:
    return error.model_dump() if error else None
