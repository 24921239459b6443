"""Waiting for the end of a task."""

import time
from contextlib import nullcontext

from rich.markup import escape
from sqlalchemy.exc import OperationalError
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from cv_pipelines.cli.output import errors, printable
from cv_pipelines.cli.task_views import error_line, percent
from cv_pipelines.tasks.ledger.ledger import AnyRow, Ledger
from cv_pipelines.tasks.ledger.queries import find_task
from cv_pipelines.tasks.states import FINAL

_EVERY = 0.5
_PATIENCE = 60.0
"""Seconds for which a database may be away, as when its server starts again."""


def wait_for_end(ledger: Ledger, task_id: str) -> AnyRow:
    """Show on stderr how a task gets on, until it has ended; returns its row."""
    status = errors.status(task_id) if errors.is_terminal else None
    told = ""
    with status or nullcontext():
        while (row := _look(ledger, task_id)).state not in FINAL:
            words = escape(printable(_words(row)))
            if words != told and status:
                status.update(words)
            elif words != told:
                errors.print(words, soft_wrap=True)
            told = words
            time.sleep(_EVERY)
    return row


@retry(
    retry=retry_if_exception_type(OperationalError),
    stop=stop_after_delay(_PATIENCE),
    wait=wait_fixed(_EVERY),
    reraise=True,
)
def _look(ledger: Ledger, task_id: str) -> AnyRow:
    return find_task(ledger, task_id)


def _words(row: AnyRow) -> str:
    share = f", {percent(row.progress)}" if row.progress else ""
    again = f", to be tried again after {error_line(row.error)}" if row.state == "queued" and row.error else ""
    return f"Task {row.id}: {row.state}{share}{again}"
