from collections.abc import Callable

import pytest

from cv_pipelines.broker.connection import open_connection
from cv_pipelines.broker.consumer import drain
from cv_pipelines.broker.messages import Message, Outgoing
from cv_pipelines.broker.publisher import publish
from cv_pipelines.broker.topology import DEAD_TASKS, DELIVERY_LIMIT, STATUS_EXCHANGE, TASKS, declare
from cv_pipelines.errors import InputError
from tests.rabbitmq import RabbitMQ


def test_declaring_again_changes_nothing(broker: str, fill: Callable[[int], list[str]]) -> None:
    fill(3)
    with open_connection(broker, "test") as connection:
        channel = connection.channel()
        declare(channel)
        assert channel.queue_declare(TASKS, passive=True).method.message_count == 3


def test_a_queue_that_exists_with_other_arguments_is_named(rabbitmq: RabbitMQ) -> None:
    with open_connection(rabbitmq.new_vhost(), "test") as connection:
        connection.channel().queue_declare(TASKS, durable=True)
        with pytest.raises(InputError) as caught:
            declare(connection.channel())
    assert caught.value.code == "broker_topology"
    assert f"queue '{TASKS}'" in caught.value.user_message
    assert "delete it" in caught.value.user_message


def test_a_message_that_is_never_acknowledged_ends_as_a_dead_one(
    broker: str, empty: Callable[..., list[Message]]
) -> None:
    assert publish(broker, [Outgoing("", TASKS, b"poison", message_id="it")], 20) == [""]
    deliveries = 0

    def crash(messages: list[Message]) -> None:
        nonlocal deliveries
        deliveries += len(messages)
        raise ZeroDivisionError

    for _ in range(DELIVERY_LIMIT + 1):
        with pytest.raises(ZeroDivisionError):
            drain(broker, TASKS, crash)
    assert deliveries == DELIVERY_LIMIT + 1
    assert empty(TASKS) == []
    (dead,) = empty(DEAD_TASKS)
    assert (dead.body, dead.message_id) == (b"poison", "it")
    assert dead.headers["x-death"][0]["reason"] == "delivery_limit"
    assert dead.headers["x-death"][0]["queue"] == TASKS


def test_events_reach_whoever_asked_for_their_key(broker: str) -> None:
    with open_connection(broker, "test") as connection:
        channel = connection.channel()
        queue = channel.queue_declare("", exclusive=True).method.queue
        channel.queue_bind(queue, STATUS_EXCHANGE, "sleep.*")
        keys = ["sleep.queued", "fail.queued", "sleep.succeeded"]
        assert publish(broker, [Outgoing(STATUS_EXCHANGE, key, b"") for key in keys], 20) == ["", "", ""]
        assert channel.queue_declare(queue, passive=True).method.message_count == 2
