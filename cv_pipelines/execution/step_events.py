"""What a person sees of a step on a worker node, in the Dagster UI."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from dagster import DagsterEvent, MetadataValue
from dagster._core.events import EngineEventData
from dagster._core.execution.context.system import IStepContext
from sqlalchemy.exc import DBAPIError

from cv_pipelines.database.outage import is_outage
from cv_pipelines.execution.leases import Lease
from cv_pipelines.execution.verdict import Over

Facts = dict[str, MetadataValue]
_log = logging.getLogger(__name__)


def tell(context: IStepContext, message: str, facts: Facts | None = None) -> None:
    """Write an event about a step."""
    with _patience(context, message):
        DagsterEvent.engine_event(context, message, EngineEventData(facts or {}))


def tell_launch(context: IStepContext, name: str) -> None:
    """Say that a step is on its way, and under which name; the UI measures its preparation from here."""
    message = f"Step {context.step.key} is to run as {name}."
    with _patience(context, message):
        DagsterEvent.step_worker_starting(context, message, {})


def tell_begin(context: IStepContext, lease: Lease) -> None:
    """Say where a step runs."""
    shown = ", ".join(map(str, lease.devices)) or "none"
    tell(context, f"Running on node {lease.node}, GPUs: {shown}.", _facts(lease))


def tell_end(context: IStepContext, lease: Lease | None, verdict: Over) -> None:
    """Say why an attempt is over, with the last lines that its container has written."""
    facts: Facts = {"source": MetadataValue.text(verdict.source), "reason": MetadataValue.text(verdict.code)}
    tell(context, verdict.message, facts | (_facts(lease) if lease else {}))


@contextmanager
def _patience(context: IStepContext, message: str) -> Iterator[None]:
    """A database that is away at that moment costs the event, and no step."""
    try:
        yield
    except DBAPIError as error:
        if not is_outage(error):
            raise
        _log.warning("%s: %s", context.step.key, message)


def _facts(lease: Lease) -> Facts:
    facts: Facts = {
        "node": MetadataValue.text(lease.node or "none"),
        "container": MetadataValue.text(lease.container or "none"),
        "gpus": MetadataValue.text(", ".join(map(str, lease.devices)) or "none"),
        "image": MetadataValue.text(lease.image),
    }
    if lease.exit_code is not None:
        facts["exit_code"] = MetadataValue.int(lease.exit_code)
    if lease.log_tail:
        lines = lease.log_tail.replace("```", "'''")
        facts["last_lines"] = MetadataValue.md(f"```\n{lines}\n```")
    return facts
