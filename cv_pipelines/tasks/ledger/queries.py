"""Looking at tasks, attempts and events."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, Select, func, literal, select, tuple_

from cv_pipelines.database.clock import ago
from cv_pipelines.database.engine import reading
from cv_pipelines.database.task_tables import attempts, deliveries, events, tasks
from cv_pipelines.errors import InputError
from cv_pipelines.tasks.ledger.ledger import AnyRow, Ledger
from cv_pipelines.tasks.states import State

_LISTED = ("id", "kind", "state", "priority", "progress", "attempts", "submitted_by", "created_at", "finished_at")


@dataclass(frozen=True)
class Page:
    """Some tasks, newest first, and where the next ones begin (None: there are none)."""

    rows: Sequence[AnyRow]
    after: str | None


def list_tasks(
    ledger: Ledger,
    state: State | None = None,
    kind: str | None = None,
    older: float | None = None,
    newer: float | None = None,
    after: str | None = None,
    limit: int = 50,
) -> Page:
    """List tasks, newest first; takes as long for a million as for ten.

    Args:
        ledger: where they are.
        state: only these.
        kind: only these.
        older: only those that came before so many seconds.
        newer: only those that came within so many seconds.
        after: where a page has ended (its `after`).
        limit: of rows.

    Raises:
        InputError: there is no task `after`.
    """
    query: Select[*tuple[Any, ...]] = select(tasks.c.error, *(tasks.c[name] for name in _LISTED))
    wanted = [
        tasks.c.state == state if state else None,
        tasks.c.kind == kind if kind else None,
        tasks.c.created_at <= ago(older) if older is not None else None,
        tasks.c.created_at >= ago(newer) if newer is not None else None,
    ]
    query = query.where(*(one for one in wanted if one is not None))
    if after is not None:
        query = _behind(query, find_task(ledger, after))
    query = query.order_by(tasks.c.created_at.desc(), tasks.c.id.desc()).limit(limit + 1)
    with reading(ledger.database) as connection:
        rows = connection.execute(query).all()
    more = len(rows) > limit
    return Page(rows[:limit], rows[limit - 1].id if more else None)


def find_task(ledger: Ledger, task_id: str) -> AnyRow:
    """A task, with the columns of the table `tasks` and the `run_id` of the attempt that has it or had it.

    Raises:
        InputError: there is none.
    """
    query = select(tasks, attempts.c.run_id).join_from(tasks, attempts, isouter=True).where(tasks.c.id == task_id)
    with reading(ledger.database) as connection:
        row = connection.execute(query).first()
    if row is None:
        raise InputError(
            "no_task", f"There is no task '{task_id}'. 'cv-pipelines task list' shows those that there are."
        )
    return row


def submitter(database: Engine, attempt: int | None) -> str:
    """Who has asked for what an attempt does; empty where it does nothing, or nobody has said."""
    query = select(tasks.c.submitted_by).where(tasks.c.attempt == attempt).limit(1)
    with reading(database) as connection:
        return str(connection.scalar(query) or "") if attempt is not None else ""


def events_of(ledger: Ledger, task_id: str) -> Sequence[AnyRow]:
    """The events of a task by their numbers.

    Raises:
        InputError: there is no such task.
    """
    find_task(ledger, task_id)
    with reading(ledger.database) as connection:
        return connection.execute(
            select(events).where(events.c.task_id == task_id).order_by(events.c.number)
        ).all()


def deliveries_of(ledger: Ledger, task_id: str) -> Sequence[AnyRow]:
    """The calls of webhooks that tell of a task, oldest first."""
    query = select(deliveries, events.c.number).join_from(deliveries, events).where(events.c.task_id == task_id)
    with reading(ledger.database) as connection:
        return connection.execute(query.order_by(deliveries.c.id)).all()


def waiting(ledger: Ledger, most: int) -> int:
    """How many tasks are queued, counted up to `most`."""
    some = select(tasks.c.id).where(tasks.c.state == "queued").limit(most).subquery()
    with reading(ledger.database) as connection:
        return int(connection.scalar(select(func.count()).select_from(some)) or 0)


def _behind(query: Select[*tuple[Any, ...]], last: AnyRow) -> Select[*tuple[Any, ...]]:
    """Keyset paging: an offset would count its way there, and so would an OR."""
    end = tuple_(literal(last.created_at, tasks.c.created_at.type), literal(last.id))
    return query.where(tuple_(tasks.c.created_at, tasks.c.id) < end)
