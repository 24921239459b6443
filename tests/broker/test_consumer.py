import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from pika.spec import BasicProperties

from cv_pipelines.broker.connection import open_connection
from cv_pipelines.broker.consumer import LIST, drain
from cv_pipelines.broker.frames import UNREADABLE
from cv_pipelines.broker.inbox import MOST_BYTES
from cv_pipelines.broker.messages import Message, Outgoing
from cv_pipelines.broker.publisher import publish
from cv_pipelines.broker.topology import TASKS, declare
from cv_pipelines.errors import InfrastructureError
from cv_pipelines.settings import ROOT
from tests.rabbitmq import RabbitMQ

Fill = Callable[[int], list[str]]
Empty = Callable[..., list[Message]]


def bodies(messages: list[Message]) -> list[str]:
    return [message.body.decode() for message in messages]


def test_messages_come_in_their_order_and_once(broker: str, fill: Fill) -> None:
    sent, lists = fill(1234), list[list[Message]]()
    assert drain(broker, TASKS, lists.append, seconds=30, idle=0.3) == 1234
    assert [len(messages) for messages in lists] == [LIST, LIST, 234]
    assert [body for messages in lists for body in bodies(messages)] == sent
    assert drain(broker, TASKS, lists.append) == 0


def test_a_message_is_what_was_published(broker: str, empty: Empty) -> None:
    headers = {
        "n": -1,
        "deep": {"list": [1, {"x": None}]},
        "raw": b"\xff",
        "when": datetime(2026, 1, 2, tzinfo=UTC),
    }
    headers |= {"price": Decimal("1.25"), "ja": True}
    with open_connection(broker, "test") as connection:
        properties = BasicProperties("text/x", None, headers, 2, 0, "c", "r", None, "m", None)
        connection.channel().basic_publish("", TASKS, b"\x00\xff", properties)
        connection.channel().basic_publish("", TASKS, b"")
    full, bare = empty()
    assert full == Message(b"\x00\xff", "m", "c", "r", "text/x", headers, False, "", TASKS)
    assert bare == Message(b"", None, None, None, None, {}, False, "", TASKS)


def test_no_more_are_taken_than_wanted_and_the_rest_stays(broker: str, fill: Fill, empty: Empty) -> None:
    sent, found = fill(1000), list[Message]()
    assert drain(broker, TASKS, found.extend, most=700, seconds=30) == 700
    assert bodies(found) + bodies(empty()) == sent


def test_it_ends_in_time_though_more_is_there(broker: str, fill: Fill, empty: Empty) -> None:
    sent, found = fill(1500), list[Message]()

    def slowly(messages: list[Message]) -> None:
        time.sleep(0.6)
        found.extend(messages)

    assert drain(broker, TASKS, slowly, seconds=0.5, idle=0.3) == LIST
    assert sorted(bodies(found) + bodies(empty()), key=int) == sent


def test_a_process_that_is_killed_while_it_takes_loses_nothing(broker: str, fill: Fill, empty: Empty) -> None:
    sent = fill(700)
    code = "import os; from cv_pipelines.broker.consumer import drain"
    code += f"; drain({broker!r}, {TASKS!r}, lambda messages: os.abort())"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == -signal.SIGABRT
    assert sorted(bodies(empty()), key=int) == sent


def test_what_could_not_be_taken_comes_again_and_what_was_taken_does_not(
    broker: str, fill: Fill, empty: Empty
) -> None:
    sent, found = fill(1200), list[Message]()

    def fail_later(messages: list[Message]) -> None:
        if found:
            raise OSError("the disk is full")
        found.extend(messages)

    with pytest.raises(OSError, match="the disk is full"):
        drain(broker, TASKS, fail_later, seconds=30, idle=0.3)
    again = empty()
    assert bodies(found) == sent[:LIST]
    assert sorted(bodies(again), key=int) == sent[LIST:]
    assert any(message.redelivered for message in again)


def test_large_messages_are_handed_over_early(broker: str) -> None:
    large = Outgoing("", TASKS, bytes(1 << 20))
    assert set(publish(broker, [large] * 40, 60)) == {""}
    sizes: list[int] = []
    taken = drain(broker, TASKS, lambda messages: sizes.append(len(messages)), seconds=60, idle=1)
    assert taken == sum(sizes) == 40
    assert max(sizes) <= MOST_BYTES >> 20


def test_connections_closed_by_the_broker_lose_nothing(
    broker: str, fill: Fill, empty: Empty, rabbitmq: RabbitMQ
) -> None:
    sent, found = fill(1200), list[Message]()

    def interrupted(messages: list[Message]) -> None:
        if not found:
            rabbitmq.close_all_connections()
        found.extend(messages)

    assert LIST <= drain(broker, TASKS, interrupted, seconds=30) == len(found) < 1200
    assert set(bodies(found + empty())) == set(sent)


def test_a_broker_that_restarts_meanwhile_loses_nothing(
    broker: str, fill: Fill, empty: Empty, rabbitmq: RabbitMQ
) -> None:
    sent, found = fill(1200), list[Message]()

    def restart(messages: list[Message]) -> None:
        if not found:
            rabbitmq.stop()
            rabbitmq.start()
        found.extend(messages)

    assert LIST <= drain(broker, TASKS, restart, seconds=60) == len(found) < 1200
    assert set(bodies(found + empty())) == set(sent)


def test_a_queue_deleted_meanwhile_keeps_what_it_had_sent_and_is_no_hindrance_later(
    broker: str, fill: Fill, empty: Empty
) -> None:
    sent, found = fill(1200), list[Message]()

    def delete(messages: list[Message]) -> None:
        if not found:
            with open_connection(broker, "test") as connection:
                connection.channel().queue_delete(TASKS)
        found.extend(messages)

    assert drain(broker, TASKS, delete, seconds=30) == len(found)
    assert bodies(found) == sent[: len(found)]
    assert len(found) >= LIST
    with pytest.raises(InfrastructureError, match=f"no queue '{TASKS}'"):
        drain(broker, TASKS, found.extend)
    with open_connection(broker, "test") as connection:
        declare(connection.channel())
    assert bodies(empty()) == []
    fill(2)
    assert bodies(empty()) == ["0", "1"]


def test_a_broker_that_hangs_is_given_up(broker: str, rabbitmq: RabbitMQ, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cv_pipelines.broker.consumer.CONNECT_SECONDS", 1)
    with rabbitmq.pause(), pytest.raises(InfrastructureError, match="nothing came back in time"):
        drain(broker, TASKS, lambda messages: None)


class Raw(BasicProperties):
    """Properties whose table of headers is given as bytes: pika would not write such ones."""

    def __init__(self, table: bytes) -> None:
        BasicProperties.__init__(self, message_id="hostile", delivery_mode=2)
        self.table = table

    def encode(self) -> list[bytes]:
        flags = self.FLAG_HEADERS | self.FLAG_DELIVERY_MODE | self.FLAG_MESSAGE_ID
        return [struct.pack(">HI", flags, len(self.table)), self.table, b"\x02", b"\x07hostile"]


def nested(depth: int) -> bytes:
    """A header `x`: a list in a list in a list …"""
    value = b"V"
    for _ in range(depth):
        value = b"A" + struct.pack(">I", len(value)) + value
    return b"\x01x" + value


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        (b"\x01x" + b"T" + struct.pack(">Q", 1_767_225_600_000), None),
        (b"\x01x" + b"T" + b"\xff" * 8, None),
        (nested(5000), None),
        (b"\x02\xff\xfe" + b"S" + struct.pack(">I", 2) + b"\xc3\x28", {"\\xff\\xfe": b"\xc3("}),
        (b"\x01x" + b"d" + struct.pack(">d", 1e308), {"x": int(1e308)}),
    ],
    ids=["milliseconds", "end of time", "deep", "no text", "large"],
)
def test_hostile_headers_harm_neither_their_message_nor_its_neighbours(
    broker: str, empty: Empty, table: bytes, expected: dict[str, Any] | None
) -> None:
    with open_connection(broker, "test") as connection:
        channel = connection.channel()
        for body, properties in (("before", None), ("hostile", Raw(table)), ("after", None)):
            channel.basic_publish("", TASKS, body.encode(), properties)
    found = empty()
    assert bodies(found) == ["before", "hostile", "after"]
    assert found[1].message_id == "hostile"
    assert found[1].headers == ({UNREADABLE: table} if expected is None else expected)
    assert not any(message.redelivered for message in found)
