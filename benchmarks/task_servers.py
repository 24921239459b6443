"""What the benchmarks of tasks share: a broker and a database of their own, and messages for them."""

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from benchmarks.measure import UnavailableError
from cv_pipelines.broker.connection import open_connection
from cv_pipelines.broker.messages import Outgoing
from cv_pipelines.broker.publisher import publish
from cv_pipelines.broker.topology import STATUS_EXCHANGE, TASKS, declare
from tests.rabbitmq import RabbitMQ, run_rabbitmq
from tests.servers import Postgres, run_postgres

NAME = "benchmark"
_PUBLISH_SECONDS = 120


@contextmanager
def task_servers() -> Iterator[tuple[RabbitMQ, Postgres]]:
    """An empty RabbitMQ and an empty Postgres, which wait for their disks as in production.

    Raises:
        UnavailableError: a program is missing.
    """
    with ExitStack() as stack:
        try:
            servers = stack.enter_context(run_rabbitmq()), stack.enter_context(run_postgres(durable=True))
        except (pytest.skip.Exception, pytest.fail.Exception) as error:  # how the tests say it
            raise UnavailableError(str(error)) from error
        yield servers


def prepare(url: str, *queues: str, watched: str = "") -> None:
    """Make the queues of tasks in a vhost, and some more.

    Args:
        url: of the broker.
        queues: durable ones, for replies.
        watched: what the first of these gets of the exchange of events, as a binding key; empty: nothing.
    """
    with open_connection(url, NAME) as connection:
        channel = connection.channel()
        declare(channel)
        for queue in queues:
            channel.queue_declare(queue, durable=True)
        if watched:
            channel.queue_bind(queues[0], STATUS_EXCHANGE, watched)


def message(name: str, kind: str, params: dict[str, Any], reply_to: str | None = None) -> Outgoing:
    """A task as an upstream system sends it."""
    shown: dict[str, Any] = {"schema": "cv.task/v1", "task_id": name, "kind": kind, "params": params}
    if reply_to:
        shown["reply"] = {"reply_to": reply_to}
    return Outgoing("", TASKS, json.dumps(shown).encode(), message_id=name, mandatory=True)


def send(url: str, messages: Sequence[Outgoing]) -> None:
    """Publish tasks; the broker has all of them afterwards."""
    refused = [reason for reason in publish(url, messages, _PUBLISH_SECONDS) if reason]
    if refused:
        raise SystemExit(f"{len(refused)} of {len(messages)} messages were not taken: {refused[0]}")
