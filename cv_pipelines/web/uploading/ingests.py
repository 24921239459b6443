"""Ingests of data sets as tasks: starting one, and how the last ones stand."""

import json
import re
from dataclasses import asdict, dataclass
from typing import Any
from uuid import uuid4

from sqlalchemy import Engine, select

from cv_pipelines.database.clock import seconds_since
from cv_pipelines.database.engine import reading
from cv_pipelines.database.task_tables import tasks
from cv_pipelines.tasks.ledger.ledger import Ledger
from cv_pipelines.tasks.ledger.submission import submit
from cv_pipelines.tasks.message import TASK_SCHEMA

KIND = "ingest_dataset"
_CLASS = re.compile(r"^dagster\.[\w.]+: ")
"""What stands before the words of an error of Dagster's own, and tells people nothing."""
_LATELY = 1000
"""Tasks that are looked through: more are rarely at work."""


@dataclass(frozen=True)
class Ingest:
    """A task that ingests a data set.

    Attributes:
        task_id: its id.
        state: one of `cv_pipelines.tasks.states`.
        progress: from 0 to 1, None where nothing is known.
        seconds: since it was handed in.
        error: what went wrong, empty where nothing has.
    """

    task_id: str
    state: str
    progress: float | None
    seconds: float
    error: str

    @property
    def is_open(self) -> bool:
        """Whether it has not ended."""
        return self.state in ("queued", "running")

    def facts(self) -> dict[str, Any]:
        """As programs are told."""
        return asdict(self)


def start_ingest(ledger: Ledger, dataset: str, who: str) -> Ingest:
    """Hand in a task that ingests a data set, unless one waits that will see everything there is.

    Raises:
        InputError: the ledger refuses it.
    """
    last = last_ingests(ledger.database).get(dataset)
    if last is None or last.state != "queued":
        task_id = f"upload-{uuid4().hex}"
        message = {"schema": TASK_SCHEMA, "task_id": task_id, "kind": KIND, "params": {"dataset": dataset}}
        submit(ledger, json.dumps(message | {"submitted_by": who}).encode())
        last = Ingest(task_id, "queued", None, 0.0, "")
    return last


def last_ingests(database: Engine) -> dict[str, Ingest]:
    """The last ingest of each data set that has had one lately."""
    columns = (tasks.c.id, tasks.c.state, tasks.c.progress, tasks.c.params, tasks.c.error)
    query = select(*columns, seconds_since(tasks.c.created_at).label("seconds")).where(tasks.c.kind == KIND)
    found: dict[str, Ingest] = {}
    with reading(database) as connection:
        for row in connection.execute(query.order_by(tasks.c.created_at.desc(), tasks.c.id).limit(_LATELY)):
            error = _CLASS.sub("", row.error["message"]) if row.error else ""
            one = Ingest(row.id, row.state, row.progress, row.seconds, error)
            found.setdefault(str(row.params.get("dataset")), one)
    return found
