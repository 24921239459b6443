"""A run at work on an attempt: begin, heartbeat, finish. Each is guarded by the attempt's epoch."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection, func, select, update

from cv_pipelines.database.clock import now
from cv_pipelines.database.task_tables import attempts, tasks
from cv_pipelines.errors import InfrastructureError, InputError, problems_of
from cv_pipelines.failpoints import fail_point
from cv_pipelines.tasks.kinds.protocol import Params
from cv_pipelines.tasks.kinds.registry import kind_of
from cv_pipelines.tasks.ledger.changes import Change, apply, close_if_done, locked, record, unwanted, verdict
from cv_pipelines.tasks.ledger.ledger import AnyRow, Ledger
from cv_pipelines.tasks.ledger.outcomes import Outcome, error_of
from cv_pipelines.tasks.problem import TaskError


class SupersededError(InfrastructureError):
    """Another run has taken over: whatever this one still does counts for nothing."""


@dataclass(frozen=True)
class Task:
    """A task to be done."""

    id: str
    params: Params
    attempts: int
    progress: float | None


@dataclass(frozen=True)
class Begun:
    """An attempt that this process is at work on, with its unfinished tasks and the events of their beginning."""

    attempt: int
    epoch: int
    tasks: list[Task]
    events: list[int]


@dataclass(frozen=True)
class Pulse:
    """What a heartbeat says: tasks that nobody needs any more (they have ended already), and events."""

    ended: list[str]
    events: list[int]


def begin(ledger: Ledger, attempt: int, run_id: str) -> Begun | None:
    """Take an attempt for a run; None where another run has it, or it has ended.

    The same run may begin again: its earlier process is then too late.
    """
    mine = attempts.c.run_id.is_(None) | (attempts.c.run_id == run_id)
    take = (
        update(attempts)
        .where(attempts.c.id == attempt, attempts.c.state == "open", mine)
        .values(run_id=run_id, epoch=attempts.c.epoch + 1, heartbeat_at=now())
        .returning(attempts.c.epoch)
    )
    with ledger.database.begin() as connection:
        epoch = connection.scalar(take)
        if epoch is None:
            return None
        queued = locked(connection, tasks.c.state == "queued", attempt=attempt)
        changes = [unwanted(task) or Change(task, "running", 0.0) for task in queued]
        told = apply(connection, ledger, [change for change in changes if change.state != "running"])
        told += _start(connection, ledger, attempt, [change for change in changes if change.state == "running"])
        query = select(tasks.c.id, tasks.c.kind, tasks.c.params, tasks.c.attempts, tasks.c.progress)
        running = (tasks.c.attempt == attempt) & (tasks.c.state == "running")
        order = (tasks.c.priority.desc(), tasks.c.created_at, tasks.c.id)
        known: list[Task] = []
        unknown: dict[str, TaskError] = {}
        for row in connection.execute(query.where(running).order_by(*order)).all():
            try:
                known.append(task_of(row))
            except InputError as error:
                unknown[row.id] = error_of(error)
        rows = locked(connection, tasks.c.id.in_(list(unknown)), attempt=attempt)
        told += apply(connection, ledger, [verdict(row, unknown[row.id]) for row in rows], epoch)
        close_if_done(connection, attempt, "nothing was left to do")
    return Begun(attempt, epoch, known, told)


def heartbeat(ledger: Ledger, begun: Begun, progress: Mapping[str, float]) -> Pulse:
    """Say that the run lives, and how far its tasks are; ends those that are cancelled or past their deadline.

    Args:
        ledger: where the attempt is.
        begun: what `begin` gave.
        progress: from 0 to 1, of tasks about which there is news.

    Raises:
        SupersededError: the attempt is another run's.
    """
    with ledger.database.begin() as connection:
        _renew(connection, begun)
        wrong = tasks.c.cancel | (tasks.c.deadline < now())
        ended = [change for task in locked(connection, wrong, attempt=begun.attempt) if (change := unwanted(task))]
        told = apply(connection, ledger, ended, begun.epoch)
        moved = locked(connection, tasks.c.id.in_(list(progress)), attempt=begun.attempt)
        told += _start(
            connection, ledger, begun.attempt, [Change(one, "running", progress[one.id]) for one in moved]
        )
        close_if_done(connection, begun.attempt, "finished")
    return Pulse([change.task.id for change in ended], told)


def finish(ledger: Ledger, begun: Begun, outcomes: Mapping[str, Outcome]) -> list[int]:
    """Commit what became of tasks, all or none; returns ids of events.

    Tasks that have ended in the meantime stay as they are. With its last task the attempt ends.

    Raises:
        SupersededError: the attempt is another run's.
    """
    with ledger.database.begin() as connection:
        _renew(connection, begun)
        rows = locked(connection, tasks.c.id.in_(list(outcomes)), attempt=begun.attempt)
        told = apply(connection, ledger, [verdict(row, outcomes[row.id]) for row in rows], begun.epoch)
        close_if_done(connection, begun.attempt, "finished")
        fail_point("finish.before_commit")
    return told


def task_of(row: AnyRow) -> Task:
    """A task, from its row.

    Raises:
        InputError: it was taken by another version of this program, and this one does not know its parameters.
    """
    try:
        # through JSON, as they came: strict parameters take no list where they are a tuple
        params = kind_of(row.kind).params.model_validate_json(json.dumps(row.params))
    except ValidationError as error:
        message = f"This version of the program knows no such parameters: {problems_of(error)}. Hand it in again."
        raise InputError("unknown_parameters", message) from error
    return Task(row.id, params, row.attempts, row.progress)


def _renew(connection: Connection, begun: Begun) -> None:
    """Renew the heartbeat; it also holds the attempt, so that nobody can close it before we have committed."""
    mine = (attempts.c.id == begun.attempt) & (attempts.c.state == "open") & (attempts.c.epoch == begun.epoch)
    if connection.execute(update(attempts).where(mine).values(heartbeat_at=now())).rowcount != 1:
        message = (
            f"Attempt {begun.attempt} is not this run's any more: another one does its tasks, or they have ended."
        )
        raise SupersededError("superseded", message)


def _start(connection: Connection, ledger: Ledger, attempt: int, changes: Sequence[Change]) -> list[int]:
    """Note that tasks are being worked on, and how far they are."""
    by_progress: dict[float | None, list[str]] = {}
    for change in changes:
        by_progress.setdefault(change.progress, []).append(change.task.id)
    for progress, ids in by_progress.items():
        for start in range(0, len(ids), 1000):
            some = (tasks.c.attempt == attempt) & tasks.c.id.in_(ids[start : start + 1000])
            values: dict[str, Any] = {
                "state": "running",
                "progress": progress,
                "last_event": tasks.c.last_event + 1,
            }
            values["started_at"] = func.coalesce(tasks.c.started_at, now())
            connection.execute(update(tasks).where(some).values(values))
    return record(connection, ledger, changes)
