"""What the ledger forgets in time: tasks that have ended, with their events; letters that are decided."""

from sqlalchemy import ColumnElement, Table, delete, exists, select

from cv_pipelines.database.clock import ago
from cv_pipelines.database.task_tables import attempts, dead_letters, events, tasks
from cv_pipelines.tasks.ledger.ledger import Ledger
from cv_pipelines.tasks.states import FINAL

_DAY = 86400.0
_AT_ONCE = 5000


def prune(ledger: Ledger, task_days: float, event_days: float, most: int = 100_000) -> dict[str, int]:
    """Delete what has ended long ago, in short transactions.

    Args:
        ledger: where.
        task_days: age of ended tasks, counted from their end.
        event_days: age of decided events, and of dead letters, counted from the decision.
        most: rows of each sort at most; the rest is left to the next time.

    Returns:
        How many rows of which table went.
    """
    old, old_event = ago(task_days * _DAY), ago(event_days * _DAY)
    told = ~exists().where(events.c.task_id == tasks.c.id, events.c.delivery == "open")
    answered = ~exists().where(events.c.dead_letter_id == dead_letters.c.id, events.c.delivery == "open")
    has_tasks = exists().where(tasks.c.attempt == attempts.c.id)
    wanted: dict[Table, ColumnElement[bool]] = {
        events: (events.c.delivery != "open") & (events.c.created_at < old_event),
        tasks: tasks.c.state.in_(FINAL) & (tasks.c.finished_at < old) & told,
        attempts: (attempts.c.state == "closed") & (attempts.c.closed_at < old) & ~has_tasks,
        dead_letters: (dead_letters.c.state != "open") & (dead_letters.c.decided_at < old_event) & answered,
    }
    return {table.name: _delete(ledger, table, which, most) for table, which in wanted.items()}


def _delete(ledger: Ledger, table: Table, which: ColumnElement[bool], most: int) -> int:
    gone = 0
    while gone < most:
        some = select(table.c.id).where(which).limit(_AT_ONCE).with_for_update(skip_locked=True)
        with ledger.database.begin() as connection:
            count = connection.execute(delete(table).where(table.c.id.in_(some))).rowcount
        gone += count
        if count < _AT_ONCE:
            break
    return gone
