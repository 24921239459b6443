"""Where the steps of runs stand, in the database: whoever watches a run reads it there a second later."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.exc import SQLAlchemyError

from cv_pipelines.database.clock import ago, now
from cv_pipelines.database.engine import reading
from cv_pipelines.database.training_tables import run_progress
from cv_pipelines.database.upsert import insert_into
from cv_pipelines.models.history import History

EVERY = 1.0
"""Seconds between two writes, at least."""
PAUSE = 30.0
"""Seconds without one after a write that failed: a database that is away must not slow the step down."""
MOST_POINTS = 400
"""Of a curve: more than a screen shows."""
_DIGITS = 6
_DAY = 86_400.0

Curve = list[dict[str, float | None]]


@dataclass(frozen=True)
class Standing:
    """Where a step stands.

    Attributes:
        run_id: of its run.
        step: its key.
        stage: what it does.
        done: how many items of that it has done.
        total: of how many; None: not known.
        curve: of a training, an entry for each epoch or for some of them; None: of anything else.
    """

    run_id: str
    step: str
    stage: str
    done: int
    total: int | None
    curve: Curve | None


class ProgressWriter:
    """Writes where a step stands, and its curve, each at most once in EVERY; what goes wrong hampers nobody.

    Args:
        database: the application database.
        run_id: of the run.
        step: key of the step.
        attempt: the attempt of the ledger that the run does; None: it does none.
        warn: is told what went wrong.
    """

    def __init__(
        self, database: Engine, run_id: str, step: str, attempt: int | None, warn: Callable[[str], None]
    ) -> None:
        self._database, self._warn = database, warn
        self._values: dict[str, Any] = {"run_id": run_id, "step": step, "attempt": attempt}
        self._next, self._next_curve, self._warned = 0.0, 0.0, False
        self._write(stage="starting", done=0, total=None)

    def __call__(self, stage: str, done: int, total: int | None = None) -> None:
        """Take note of progress: a new stage is written at once where the last write was no failure."""
        is_new = stage != self._values["stage"]
        self._values |= {"stage": stage, "done": done, "total": total}
        if time.monotonic() >= self._next or (is_new and not self._warned):
            self._write()

    def epochs(self, history: History, final: bool = False) -> None:
        """Take note of the figures of epochs, once in EVERY too; the final ones are written in any case."""
        if final or time.monotonic() >= self._next_curve:
            self._next_curve = time.monotonic() + EVERY
            self._write(curve=curve_of(history))

    def _write(self, **changed: Any) -> None:
        self._values |= changed
        self._next = time.monotonic() + EVERY
        key = (run_progress.c.run_id, run_progress.c.step)
        try:
            with self._database.begin() as connection:
                row = insert_into(connection, run_progress).values(self._values)
                again = {**self._values, "updated_at": now()}
                connection.execute(row.on_conflict_do_update(index_elements=key, set_=again))
        except SQLAlchemyError as error:
            self._next = self._next_curve = time.monotonic() + PAUSE
            if not self._warned:
                self._warned = True
                self._warn(f"Pages do not see where this step stands; it goes on: {str(error).splitlines()[0]}")


def curve_of(history: History, most: int = MOST_POINTS) -> Curve:
    """A history as it is shown: epochs numbered from 1, fewer of a long one; None stands for what is no number."""
    stride = max(1, math.ceil(len(history) / most))
    numbers = [number for number in range(1, len(history) + 1) if number % stride == 1 % stride]
    if history and numbers[-1] != len(history):
        numbers.append(len(history))
    return [{"epoch": number} | _shown(history[number - 1]) for number in numbers]


def _shown(figures: dict[str, float]) -> dict[str, float | None]:
    return {
        name: float(f"{value:.{_DIGITS}g}") if math.isfinite(value) else None for name, value in figures.items()
    }


def standings(database: Engine, attempt: int) -> list[Standing]:
    """Where the steps of the newest run of an attempt stand, in the order in which they began."""
    query = select(run_progress).where(run_progress.c.attempt == attempt).order_by(run_progress.c.started_at)
    with reading(database) as connection:
        rows = connection.execute(query).all()
    newest = rows[-1].run_id if rows else ""
    names = ("run_id", "step", "stage", "done", "total", "curve")
    return [Standing(*(row._mapping[name] for name in names)) for row in rows if row.run_id == newest]


def forget_progress(database: Engine, days: float) -> int:
    """Delete what was written for the last time so long ago; returns how many rows that were."""
    with database.begin() as connection:
        old = run_progress.delete().where(run_progress.c.updated_at < ago(days * _DAY))
        return connection.execute(old).rowcount
