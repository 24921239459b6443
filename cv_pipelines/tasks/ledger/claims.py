"""From queued tasks to attempts: a run costs seconds, an image milliseconds, so runs take many tasks."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from sqlalchemy import Connection, case, func, insert, or_, select, update

from cv_pipelines.database.clock import now, seconds_since
from cv_pipelines.database.locks import take_turns
from cv_pipelines.database.task_tables import attempts, tasks
from cv_pipelines.errors import InputError
from cv_pipelines.failpoints import fail_point
from cv_pipelines.tasks.kinds.protocol import Params, TaskKind
from cv_pipelines.tasks.kinds.registry import KINDS, is_kind, kind_of
from cv_pipelines.tasks.ledger.changes import apply, locked, unwanted
from cv_pipelines.tasks.ledger.ledger import AnyRow, Ledger
from cv_pipelines.tasks.ledger.outcomes import error_of
from cv_pipelines.tasks.ledger.policy import company
from cv_pipelines.tasks.ledger.work import task_of
from cv_pipelines.tasks.problem import TaskError
from cv_pipelines.tasks.states import UNFINISHED

MOST_RUNS = 20
"""Open attempts of a kind whose tasks have a run each; the rest waits here, where it can be reordered."""
_WAITING = (tasks.c.state == "queued", tasks.c.attempt.is_(None))


@dataclass(frozen=True)
class Attempt:
    """One run's worth of tasks, as the ledger has it.

    Attributes:
        id: its number; also names the run.
        kind: of all its tasks.
        run_id: the run that has begun it, None before.
        begun: whether a run has begun it; kinds without `together` never say so.
        silent: seconds since its run was last heard of, since it was made where none has begun it.
        params: of the one task of a kind without `together`.
        priority: of its most urgent task.
        tasks: how many there are unfinished.
        wanted: how many of these are neither cancelled nor past their deadline.
        problem: why it cannot be done, though its task was taken once.
    """

    id: int
    kind: TaskKind
    run_id: str | None
    begun: bool
    silent: float
    params: Params | None
    priority: int
    tasks: int
    wanted: int
    problem: TaskError | None = None

    @property
    def names(self) -> str | None:
        """How its task names the partition of its run; None where that has none."""
        return getattr(self.params, self.kind.partition, None)


def claim(ledger: Ledger) -> int:
    """Make attempts of tasks that wait, by priority and age; returns how many.

    Of a kind whose tasks share runs there is one at a time, so that whatever comes in the meantime goes
    together into the next.
    """
    made = sum(_claim_kind(ledger, kind) for kind in KINDS)
    if made:
        fail_point("claim.committed")
    return made


def expire(ledger: Ledger) -> list[int]:
    """End waiting tasks that are past their deadline; returns ids of events."""
    with ledger.database.begin() as connection:
        late = locked(connection, *_WAITING, tasks.c.deadline < now())
        return apply(connection, ledger, [change for task in late if (change := unwanted(task))])


def open_attempts(ledger: Ledger) -> list[Attempt]:
    """All attempts that have not ended, oldest first."""
    silent = seconds_since(func.coalesce(attempts.c.heartbeat_at, attempts.c.created_at))
    unfinished = tasks.c.state.in_(UNFINISHED)
    wanted = ~tasks.c.cancel & (tasks.c.deadline.is_(None) | (tasks.c.deadline >= now()))
    numbers = (
        func.count(tasks.c.id).label("left"),
        func.count(case((wanted, tasks.c.id))).label("wanted"),
        func.coalesce(func.max(tasks.c.priority), 0).label("priority"),
    )
    query = (
        select(attempts, silent.label("silent"), *numbers)
        .join_from(attempts, tasks, (tasks.c.attempt == attempts.c.id) & unfinished, isouter=True)
        .where(attempts.c.state == "open")
        .group_by(attempts.c.id)
        .order_by(attempts.c.id)
    )
    with ledger.database.connect() as connection:
        rows = [row for row in connection.execute(query) if is_kind(row.kind)]
        singles = [row.id for row in rows if kind_of(row.kind).together is None]
        wanted_rows = select(tasks).where(tasks.c.attempt.in_(singles), unfinished)
        found = {row.attempt: _params(row) for row in connection.execute(wanted_rows)}
    return [_attempt(row, found.get(row.id)) for row in rows]


def _params(row: AnyRow) -> Params | TaskError:
    try:
        return task_of(row).params
    except InputError as error:
        return error_of(error)


def _attempt(row: AnyRow, params: Params | TaskError | None) -> Attempt:
    kind = kind_of(row.kind)
    begun = row.epoch > 0
    left, wanted = row.left, row.wanted
    if kind.together is None and params is None:  # it has ended between the one look and the other
        left = wanted = 0
    problem = params if isinstance(params, TaskError) else None
    given = params if isinstance(params, Params) else None
    silent = float(row.silent)
    return Attempt(row.id, kind, row.run_id, begun, silent, given, row.priority, left, wanted, problem)


def _claim_kind(ledger: Ledger, kind: TaskKind) -> int:
    with ledger.database.begin() as connection:
        if not _ready(connection, kind).first():
            return 0
        take_turns(connection, f"claim {kind.name}")
        is_open = (attempts.c.state == "open", attempts.c.kind == kind.name)
        number = connection.scalar(select(func.count()).select_from(attempts).where(*is_open)) or 0
        most = 1 if kind.together else MOST_RUNS
        made = 0
        while number + made < most and (some := _next(connection, kind)):
            _make(connection, kind, some)
            made += 1
        return made


def _ready(connection: Connection, kind: TaskKind) -> Any:
    due = or_(tasks.c.not_before.is_(None), tasks.c.not_before <= now())
    columns = (tasks.c.id, tasks.c.batch_key, tasks.c.attempts)
    order = (tasks.c.priority.desc(), tasks.c.created_at, tasks.c.id)
    return connection.execute(
        select(*columns).where(*_WAITING, tasks.c.kind == kind.name, due).order_by(*order).limit(1)
    )


def _next(connection: Connection, kind: TaskKind) -> Sequence[str]:
    """The most urgent task, and those that may share its run: tried as often, so that they share its fate.

    As many as are a run's worth of work together, by priority and age; one in any case.
    """
    first = _ready(connection, kind).first()
    if first is None:
        return []
    same = (tasks.c.batch_key == first.batch_key, tasks.c.attempts == first.attempts)
    due = or_(tasks.c.not_before.is_(None), tasks.c.not_before <= now())
    most = company(kind.most, first.attempts)
    query = (
        select(tasks.c.id, tasks.c.size)
        .where(*_WAITING, tasks.c.kind == kind.name, *same, due)
        .order_by(tasks.c.priority.desc(), tasks.c.created_at, tasks.c.id)
        .limit(most)  # none is smaller than 1
        .with_for_update(skip_locked=True)
    )
    rows = connection.execute(query).all()
    ends = accumulate(row.size for row in rows)
    return [row.id for place, (row, end) in enumerate(zip(rows, ends, strict=True)) if place == 0 or end <= most]


def _make(connection: Connection, kind: TaskKind, ids: Sequence[str]) -> None:
    row = {"kind": kind.name, "tasks": len(ids), "state": "open"}
    made = connection.scalar(insert(attempts).values(row).returning(attempts.c.id))
    for start in range(0, len(ids), 1000):
        some = update(tasks).where(tasks.c.id.in_(ids[start : start + 1000]))
        connection.execute(some.values(attempt=made, attempts=tasks.c.attempts + 1))
