"""What the tests of the broker share: a vhost with the queues of tasks, and what comes out of them."""

from collections.abc import Callable

import pytest

from cv_pipelines.broker.connection import open_connection
from cv_pipelines.broker.consumer import drain
from cv_pipelines.broker.messages import Message, Outgoing
from cv_pipelines.broker.publisher import publish
from cv_pipelines.broker.topology import TASKS, declare
from tests.rabbitmq import RabbitMQ


@pytest.fixture
def broker(rabbitmq: RabbitMQ) -> str:
    """The URL of a vhost of its own, in which tasks can be published."""
    url = rabbitmq.new_vhost()
    with open_connection(url, "test") as connection:
        declare(connection.channel())
    return url


@pytest.fixture
def fill(broker: str) -> Callable[[int], list[str]]:
    """`fill(count)`: publish so many messages with bodies "0", "1", …; returns the bodies."""

    def put(count: int) -> list[str]:
        bodies = [str(number) for number in range(count)]
        outgoing = [Outgoing("", TASKS, body.encode(), mandatory=True) for body in bodies]
        assert set(publish(broker, outgoing, 60)) == {""}
        return bodies

    return put


@pytest.fixture
def empty(broker: str) -> Callable[..., list[Message]]:
    """`empty(queue=TASKS)`: take all that is in a queue."""

    def get(queue: str = TASKS) -> list[Message]:
        found: list[Message] = []
        while drain(broker, queue, found.extend, seconds=30, idle=0.3):
            pass
        return found

    return get
