"""The trainings of a data set, as the ledger has them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, func, or_, select

from cv_pipelines.database.clock import seconds_since
from cv_pipelines.database.engine import reading
from cv_pipelines.database.task_tables import attempts, tasks
from cv_pipelines.errors import InputError
from cv_pipelines.tasks.kinds.train_model import KIND
from cv_pipelines.tasks.ledger.ledger import AnyRow, Ledger

MOST_SHOWN = 15
_MOST_COUNTED = 1000


def recent_trainings(ledger: Ledger, dataset: str, since: datetime, most: int = MOST_SHOWN) -> Sequence[AnyRow]:
    """The newest ones; the index gives all trainings in their order, and those of other data sets are few.

    Args:
        ledger: where they are.
        dataset: its name.
        since: when the data set was made: another one may have had its name before.
        most: of them.
    """
    query = _trainings(dataset).where(tasks.c.created_at >= since)
    query = query.order_by(tasks.c.created_at.desc(), tasks.c.id.desc()).limit(most)
    with reading(ledger.database) as connection:
        return connection.execute(query).all()


def find_training(ledger: Ledger, dataset: str, task_id: str) -> AnyRow:
    """One of them.

    Raises:
        InputError: code `no_task`: there is no such training of this data set.
    """
    with reading(ledger.database) as connection:
        row = connection.execute(_trainings(dataset).where(tasks.c.id == task_id)).first()
    if row is None:
        raise InputError("no_task", f"'{dataset}' has no such training; those that ended long ago are forgotten.")
    return row


def place_in_queue(ledger: Ledger, row: AnyRow) -> int:
    """Which one it is of the trainings that wait, of all data sets; counted up to a thousand."""
    at, priority = tasks.c.created_at, tasks.c.priority
    older = or_(at < row.created_at, and_(at == row.created_at, tasks.c.id < row.id))
    before = or_(priority > row.priority, and_(priority == row.priority, older))
    waiting = select(tasks.c.id).where(tasks.c.state == "queued", tasks.c.kind == KIND.name, before)
    with reading(ledger.database) as connection:
        counted = select(func.count()).select_from(waiting.limit(_MOST_COUNTED).subquery())
        return int(connection.scalar(counted) or 0) + 1


def _trainings(dataset: str) -> Select[*tuple[Any, ...]]:
    """Tasks with the run of their attempt, how many `others` are open, and how long ago this and that was."""
    ages = {
        "waited": func.coalesce(tasks.c.not_before, tasks.c.created_at),
        "age": tasks.c.created_at,
        "ended": tasks.c.finished_at,
        "claimed": attempts.c.created_at,
        "heard": attempts.c.heartbeat_at,
    }
    names = ("id", "state", "params", "priority", "submitted_by", "cancel", "attempt", "result", "error")
    busy = select(func.count()).where(attempts.c.kind == KIND.name, attempts.c.state == "open")
    return (
        select(
            *(tasks.c[name] for name in (*names, "created_at")),
            attempts.c.run_id,
            busy.scalar_subquery().label("others"),
            *(seconds_since(moment).label(name) for name, moment in ages.items()),
        )
        .join_from(tasks, attempts, tasks.c.attempt == attempts.c.id, isouter=True)
        .where(tasks.c.kind == KIND.name, tasks.c.params["dataset"].as_string() == dataset)
    )
