"""Cancelling: works in every state, and always ends."""

from sqlalchemy import update

from cv_pipelines.database.task_tables import tasks
from cv_pipelines.tasks.ledger.changes import CANCELLED, Change, apply, locked
from cv_pipelines.tasks.ledger.ledger import Ledger
from cv_pipelines.tasks.ledger.queries import find_task


def cancel(ledger: Ledger, task_id: str) -> list[int]:
    """Cancel a task; returns ids of events.

    One that is queued never starts. One that is running is marked: the process at work on it, or the sensor
    if that is dead, ends it within seconds. One that has ended stays as it is.

    Raises:
        InputError: there is no such task.
    """
    with ledger.database.begin() as connection:
        rows = locked(connection, tasks.c.id == task_id)
        connection.execute(update(tasks).where(tasks.c.id.in_([row.id for row in rows])).values(cancel=True))
        queued = [row for row in rows if row.state == "queued"]
        told = apply(connection, ledger, [Change(row, "cancelled", error=CANCELLED) for row in queued])
    if not rows:
        find_task(ledger, task_id)
    return told
