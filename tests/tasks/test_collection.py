"""From a real broker into the ledger, and the answer back to whoever sent what could be no task."""

import json

import pika
import pytest
from sqlalchemy import update

from cv_pipelines.broker.connection import open_connection
from cv_pipelines.broker.consumer import drain
from cv_pipelines.broker.messages import Message
from cv_pipelines.broker.topology import DEAD_TASKS, TASKS, declare
from cv_pipelines.database.clock import now
from cv_pipelines.database.engine import open_database
from cv_pipelines.database.task_tables import events
from cv_pipelines.tasks.collection import collect, letter_of
from cv_pipelines.tasks.delivery import make_courier
from cv_pipelines.tasks.ledger.ledger import Ledger
from tests.rabbitmq import RabbitMQ

GOOD = {"schema": "cv.task/v1", "task_id": "good", "kind": "sleep", "params": {"seconds": 1}}


def send(url: str, queue: str, body: bytes, name: str, correlation: str) -> None:
    """Publish to a queue as a stranger would, who waits at the queue `answers`."""
    with open_connection(url, "test") as connection:
        channel = connection.channel()
        declare(channel)
        channel.queue_declare("answers", durable=True)
        properties = pika.BasicProperties(message_id=name, reply_to="answers", correlation_id=correlation)
        channel.basic_publish("", queue, body, properties)


def answers(ledger: Ledger, url: str) -> list[Message]:
    """What comes to the queue `answers` by a sweep."""
    with ledger.database.begin() as connection:
        connection.execute(update(events).values(next_at=now()))
    make_courier(ledger, url, 20, "", ()).sweep(20)
    found: list[Message] = []
    drain(url, "answers", found.extend, seconds=20, idle=0.3)
    return found


@pytest.mark.parametrize("queue", [TASKS, DEAD_TASKS])
def test_whoever_sends_what_is_no_task_is_told_why(rabbitmq: RabbitMQ, database_url: str, queue: str) -> None:
    url, ledger = rabbitmq.new_vhost(), Ledger(open_database(database_url), has_broker=True)
    send(url, queue, b'{"kind": "sleep"', "bad", "order 66")
    send(url, TASKS, json.dumps(GOOD).encode(), "good", "order 67")

    got = collect(ledger, url, 100, 5, 100)

    assert (got.accepted, got.refused, len(got.events)) == (1, 1, 2)
    (answer,) = answers(ledger, url)
    told = json.loads(answer.body)
    assert answer.correlation_id == "order 66"
    assert (told["task_id"], told["kind"], told["number"], told["state"]) == ("bad", "unknown", 1, "rejected")
    assert told["error"]["code"] == ("not_json" if queue == TASKS else "delivery_limit")


def test_what_the_broker_delivers_once_more_is_not_what_its_sender_sent_once_more(rabbitmq: RabbitMQ) -> None:
    url = rabbitmq.new_vhost()
    send(url, TASKS, b"?", "bad", "7")

    def die(messages: list[Message]) -> None:
        assert not any(letter_of(message).again for message in messages)
        raise RuntimeError("before the acknowledgement")

    with pytest.raises(RuntimeError):
        drain(url, TASKS, die)
    found: list[Message] = []
    drain(url, TASKS, found.extend, seconds=20, idle=0.3)

    assert [letter_of(message).again for message in found] == [True]
