"""Progress of a step: lines in its log, which the UI and the command line show, and a row that pages read."""

import time

from dagster import AssetExecutionContext, OpExecutionContext
from sqlalchemy import Engine

from cv_pipelines.execution.attempts import attempt_of
from cv_pipelines.execution.run_progress import ProgressWriter
from cv_pipelines.models.history import History
from cv_pipelines.progress import Progress

EVERY = 2.0
"""Seconds between lines."""
Context = AssetExecutionContext | OpExecutionContext


class StepProgress:
    """A listener that logs, and writes to the database; see `log_progress` and `ProgressWriter`."""

    def __init__(self, context: Context, database: Engine) -> None:
        step = context.get_step_execution_context().step.key
        self._log = log_progress(context)
        self._writer = ProgressWriter(database, context.run.run_id, step, attempt_of(context), context.log.warning)

    def __call__(self, stage: str, done: int, total: int | None = None) -> None:
        """Take note of progress."""
        self._log(stage, done, total)
        self._writer(stage, done, total)

    def epochs(self, history: History) -> None:
        """Take note of the figures of epochs, while there may be more."""
        self._writer.epochs(history)

    def all_epochs(self, history: History) -> None:
        """Take note of the figures of all epochs."""
        self._writer.epochs(history, final=True)


def log_progress(context: Context) -> Progress:
    """A listener that logs at most one line every EVERY seconds and stage, with the rate."""
    started: dict[str, tuple[float, int]] = {}
    last: dict[str, float] = {}

    def listen(stage: str, done: int, total: int | None = None) -> None:
        now = time.monotonic()
        # what was there before the step began tells nothing of its speed
        began, before = started.setdefault(stage, (now, done))
        if now - last.get(stage, began) < EVERY:
            return
        last[stage] = now
        rate = (done - before) / (now - began)
        of = f" of {total:,}" if total is not None else ""
        context.log.info(f"{stage}: {done:,}{of}, {rate:,.1f}/s")

    return listen
