"""An attempt whose run knows nothing of tasks: somebody beside it begins it and writes its heartbeats."""

from sqlalchemy import select

from cv_pipelines.database.task_tables import attempts, tasks
from cv_pipelines.tasks.ledger.ledger import Ledger
from cv_pipelines.tasks.ledger.work import Begun, Task, begin, task_of
from cv_pipelines.tasks.states import UNFINISHED


def begin_or_resume(ledger: Ledger, attempt: int, run_id: str) -> Begun | None:
    """Like `begin`, but one that this run has begun already goes on in the same epoch; None where it is over."""
    held = select(attempts.c.epoch, attempts.c.run_id).where(attempts.c.id == attempt, attempts.c.state == "open")
    left = select(tasks).where(tasks.c.attempt == attempt, tasks.c.state.in_(UNFINISHED))
    with ledger.database.connect() as connection:
        row = connection.execute(held).first()
        if row is None:
            return None
        found: list[Task] = [
            task_of(task) for task in connection.execute(left)
        ]  # an attempt with a problem is closed
    if row.run_id == run_id and row.epoch > 0:
        return Begun(attempt, row.epoch, found, [])
    return begin(ledger, attempt, run_id)
