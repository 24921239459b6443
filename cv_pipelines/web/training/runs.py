"""What only Dagster knows, or has to be told: opened once per process, and late: importing it takes a second."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING

import structlog

from cv_pipelines.catalog import Catalog
from cv_pipelines.errors import CvError
from cv_pipelines.models.registry import Model

if TYPE_CHECKING:
    from dagster import DagsterInstance

_log = structlog.get_logger("cv_pipelines.web")
_lock = Lock()
"""Two threads that open the instance at once make two, of which one is lost with its connections open."""
_opened: list["DagsterInstance"] = []


@contextmanager
def _instance() -> Iterator["DagsterInstance"]:
    """The instance, for one thread at a time: few ask, and they are done in milliseconds."""
    with _lock:
        if not _opened:
            from cv_pipelines.orchestration.instance import open_instance

            _opened.append(open_instance())
        yield _opened[0]


def log_of(run_id: str) -> list[str]:
    """The last lines of a run's log; a word in their place where they are not to be had."""
    from cv_pipelines.orchestration.run_log import last_lines

    try:
        with _instance() as instance:
            return last_lines(instance, run_id)
    except CvError as error:
        _log.warning("run_log", reason=error.user_message)
        return ["(the log is not to be had just now)"]


def crown(catalog: Catalog, model: Model, who: str, why: str) -> str | None:
    """Make a model the champion of its data set; returns the version of the one before."""
    from cv_pipelines.orchestration.champions import name_champion

    with _instance() as instance:
        return name_champion(catalog, instance, model, who, why)
