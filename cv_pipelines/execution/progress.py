"""Progress of a step as lines in its log, which the UI and the command line both show."""

import time

from dagster import AssetExecutionContext, OpExecutionContext

from cv_pipelines.progress import Progress

EVERY = 2.0
"""Seconds between lines."""


def log_progress(context: AssetExecutionContext | OpExecutionContext) -> Progress:
    """A listener that logs at most one line every EVERY seconds and stage, with the rate."""
    started: dict[str, float] = {}
    last: dict[str, float] = {}

    def listen(stage: str, done: int, total: int | None = None) -> None:
        now = time.monotonic()
        started.setdefault(stage, now)
        if now - last.get(stage, started[stage]) < EVERY:
            return
        last[stage] = now
        rate = done / (now - started[stage])
        of = f" of {total:,}" if total is not None else ""
        context.log.info(f"{stage}: {done:,}{of}, {rate:,.1f}/s")

    return listen
