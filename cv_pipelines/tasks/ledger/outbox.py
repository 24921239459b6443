"""The outbox: events that somebody has to be told of, from the ledger to whoever delivers them, and back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, case, func, insert, null, select, update

from cv_pipelines.database.clock import from_now, now
from cv_pipelines.database.task_tables import dead_letters, deliveries, events, tasks
from cv_pipelines.tasks.ledger.ledger import AnyRow, Ledger
from cv_pipelines.tasks.states import FINAL

Receiver = Literal["exchange", "reply", "webhook"]
MOST_TRIES = 8
"""Then a delivery is abandoned, with the reason, until somebody asks for it again."""
_FIRST_DELAY = 5.0
_LONGEST_DELAY = 600.0
_LEASE = 60.0
"""Seconds for which events that were taken are nobody else's."""
_COLUMNS = ("id", "dead_letter_id", "number", "state", "progress", "pending", "tries", "created_at")


@dataclass(frozen=True)
class Failure:
    """Why a receiver does not have an event yet; `counts`: whether that was a try of its own that failed."""

    reason: str
    counts: bool = True


Answers = Mapping[Receiver, Failure | None]
"""What each receiver that was tried has made of an event: None: it has it."""


@dataclass(frozen=True)
class Delivery:
    """One call of a webhook, for the log."""

    event: int
    url: str
    status: int | None
    error: str
    milliseconds: int


def take(ledger: Ledger, most: int) -> Sequence[AnyRow]:
    """Open events that are due, oldest first, each with the task_id, kind, reply, result and error to tell.

    Those of a dead letter have its `code` and `refusal` instead of an error, and perhaps no task_id or kind.

    Nobody else gets them for a minute; if they are not settled by then, they are open to all again.
    """
    due = [events.c.delivery == "open", events.c.next_at <= now()]
    first = select(events.c.id).where(*due).order_by(events.c.id).limit(most).with_for_update(skip_locked=True)
    with ledger.database.begin() as connection:
        ids = connection.scalars(first).all()
        _lease(connection, ids)
        return _rows(connection, ids)


def own(ledger: Ledger, ids: Sequence[int]) -> Sequence[AnyRow]:
    """Like `take`, the events that this process has just made."""
    with ledger.database.connect() as connection:
        return _rows(connection, ids)


def settle(ledger: Ledger, answers: Mapping[int, Answers], calls: Sequence[Delivery] = ()) -> None:
    """Write down what became of events; what no receiver was tried for stays open."""
    with ledger.database.begin() as connection:
        held = select(events.c.id, events.c.pending, events.c.tries).order_by(events.c.id).with_for_update()
        done: list[int] = []
        for start in range(0, len(answers), 1000):
            some = sorted(answers)[start : start + 1000]
            for row in connection.execute(held.where(events.c.id.in_(some), events.c.delivery == "open")):
                if _is_done(row.pending, answers[row.id]):
                    done.append(row.id)
                else:
                    _keep(connection, row, answers[row.id])
        for start in range(0, len(done), 1000):
            same = update(events).where(events.c.id.in_(done[start : start + 1000]))
            connection.execute(same.values(delivery="delivered", pending=[], reason=""))
        if calls:  # each refers to its event and so holds it: only now that we have all of them
            connection.execute(insert(deliveries), [_call(one) for one in calls])


def redeliver(ledger: Ledger, task_id: str | None = None) -> int:
    """Open abandoned events again, of one task or of all; returns how many."""
    wanted = [events.c.delivery == "abandoned"]
    if task_id is not None:
        wanted.append(events.c.task_id == task_id)
    with ledger.database.begin() as connection:
        again = update(events).where(*wanted).values(delivery="open", tries=0, next_at=now())
        return connection.execute(again).rowcount


def undelivered(ledger: Ledger) -> dict[str, int]:
    """How many events are `open`, and how many `abandoned`."""
    query = (
        select(events.c.delivery, func.count()).where(events.c.delivery != "delivered").group_by(events.c.delivery)
    )
    with ledger.database.connect() as connection:
        found = {row[0]: row[1] for row in connection.execute(query)}
    return {name: found.get(name, 0) for name in ("open", "abandoned")}


def _rows(connection: Connection, ids: Sequence[int]) -> list[AnyRow]:
    found: list[AnyRow] = []
    columns = [events.c[name] for name in _COLUMNS]
    is_end = events.c.state.in_(FINAL)  # results may be large, and are told of once
    result = case((is_end, tasks.c.result), else_=null()).label("result")
    error = case((is_end, tasks.c.error), else_=null()).label("error")
    common = [func.coalesce(tasks.c[name], dead_letters.c[name]).label(name) for name in ("kind", "reply")]
    name = func.coalesce(tasks.c.id, dead_letters.c.task_id).label("task_id")
    refusal = (dead_letters.c.code, dead_letters.c.reason.label("refusal"))
    query: Any = select(*columns, name, *common, result, error, *refusal).select_from(
        events.outerjoin(tasks).outerjoin(dead_letters)
    )
    for start in range(0, len(ids), 1000):
        some = query.where(events.c.id.in_(ids[start : start + 1000])).order_by(events.c.id)
        found += connection.execute(some).all()
    return found


def _lease(connection: Connection, ids: Sequence[int]) -> None:
    for start in range(0, len(ids), 1000):
        same = update(events).where(events.c.id.in_(ids[start : start + 1000]))
        connection.execute(same.values(next_at=from_now(_LEASE)))


def _is_done(pending: Sequence[Receiver], answers: Answers) -> bool:
    return all(one in answers and answers[one] is None for one in pending)


def _keep(connection: Connection, row: AnyRow, answers: Answers) -> None:
    """Try again later, or abandon: only tries that a receiver has spoiled count.

    Where somebody else could not be told for no fault of his own, he is waited for.
    """
    left = [one for one in row.pending if one not in answers or answers[one] is not None]
    failures = [failure for one in left if (failure := answers.get(one)) is not None]
    tries = row.tries + any(failure.counts for failure in failures)
    reason = "; ".join(sorted({failure.reason for failure in failures}))
    delay = min(_LONGEST_DELAY, _FIRST_DELAY * 2.0**tries)
    values: dict[str, Any] = {"pending": left, "tries": tries, "reason": reason, "next_at": from_now(delay)}
    if tries >= MOST_TRIES and len(failures) == len(left) and all(failure.counts for failure in failures):
        values["delivery"] = "abandoned"
    connection.execute(update(events).where(events.c.id == row.id).values(values))


def _call(delivery: Delivery) -> dict[str, Any]:
    return {
        "event_id": delivery.event,
        "url": delivery.url,
        "status": delivery.status,
        "error": delivery.error,
        "milliseconds": delivery.milliseconds,
    }
