"""Messages for tests of the ledger, ways to put them in, and to move its time."""

import json
from typing import Any

from sqlalchemy import ColumnElement, Row, select, update

from cv_pipelines.database.clock import from_now
from cv_pipelines.database.task_tables import events, tasks
from cv_pipelines.tasks.ledger.intake import Letter, Received, receive
from cv_pipelines.tasks.ledger.ledger import Ledger
from cv_pipelines.tasks.ledger.outcomes import Done
from cv_pipelines.tasks.ledger.work import Begun, begin
from cv_pipelines.tasks.problem import TaskError

PARAMS: dict[str, dict[str, Any]] = {
    "sleep": {"seconds": 1},
    "fail": {"source": "internal"},
    "classify_images": {"dataset": "cats", "uris": ["https://images.test/1.jpg"]},
    "train_model": {"dataset": "cats"},
}
HOOK = {"webhook": "https://8.8.8.8/hook"}
DONE = Done({"slept": 1.0})


def letter(task_id: str, kind: str = "sleep", params: dict[str, Any] | None = None, **fields: Any) -> Letter:
    """A message; `params` are added to some that its kind is content with."""
    shown = {"schema": "cv.task/v1", "task_id": task_id, "kind": kind, "params": PARAMS[kind] | (params or {})}
    return Letter(json.dumps({**shown, **fields}).encode(), message_id=task_id)


def put(ledger: Ledger, *names: str, kind: str = "sleep", **fields: Any) -> Received:
    """Write tasks of one kind into the ledger; none is refused."""
    received = receive(ledger, [letter(name, kind, **fields) for name in names])
    assert received.refused == []
    return received


def failure(source: Any = "infrastructure") -> TaskError:
    return TaskError(source=source, code="made_up", message="It did not work.")


def task(ledger: Ledger, name: str) -> Row[Any]:
    with ledger.database.connect() as connection:
        return connection.execute(select(tasks).where(tasks.c.id == name)).one()


def states(ledger: Ledger) -> dict[str, str]:
    with ledger.database.connect() as connection:
        return {row.id: row.state for row in connection.execute(select(tasks.c.id, tasks.c.state))}


def told(ledger: Ledger, name: str) -> list[str]:
    """The states that the events of a task tell, by their numbers."""
    with ledger.database.connect() as connection:
        query = select(events.c.state).where(events.c.task_id == name).order_by(events.c.number)
        return list(connection.scalars(query))


def begun(ledger: Ledger, attempt: int, run: str = "run") -> Begun:
    """Begin an attempt that can be begun."""
    taken = begin(ledger, attempt, run)
    assert taken is not None
    return taken


def pass_deadline(ledger: Ledger, *names: str) -> None:
    """Let the deadline of tasks be a second ago."""
    with ledger.database.begin() as connection:
        connection.execute(update(tasks).where(tasks.c.id.in_(names)).values(deadline=from_now(-1.0)))


def pass_time(ledger: Ledger, name: str | None = None) -> None:
    """Let whatever waits for a later time, a retry or a delivery, have waited long enough: of one task or all."""
    waits: list[ColumnElement[bool]] = [tasks.c.not_before.is_not(None)]
    due: list[ColumnElement[bool]] = [events.c.delivery == "open"]
    if name is not None:
        waits, due = [*waits, tasks.c.id == name], [*due, events.c.task_id == name, events.c.number == 1]
    with ledger.database.begin() as connection:
        connection.execute(update(tasks).where(*waits).values(not_before=from_now(-1.0)))
        connection.execute(update(events).where(*due).values(next_at=from_now(-1.0)))
