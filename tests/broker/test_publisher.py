import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import overload

import pytest

from cv_pipelines.broker.connection import open_connection
from cv_pipelines.broker.messages import Message, Outgoing
from cv_pipelines.broker.publisher import NO_QUEUE, NOT_TAKEN, publish
from cv_pipelines.broker.topology import STATUS_EXCHANGE, TASKS
from cv_pipelines.errors import InputError
from tests.installation import PATIENCE, free_port
from tests.rabbitmq import RabbitMQ

Empty = Callable[..., list[Message]]


def numbered(count: int) -> list[Outgoing]:
    return [Outgoing("", TASKS, str(number).encode(), f"id-{number}", mandatory=True) for number in range(count)]


def test_twenty_thousand_messages_arrive_once_each_and_in_order(broker: str, empty: Empty) -> None:
    assert publish(broker, numbered(20_000), 60) == [""] * 20_000
    assert [int(message.body) for message in empty()] == list(range(20_000))


def test_everything_of_a_message_arrives(broker: str, empty: Empty) -> None:
    body, headers = bytes(range(256)) * 2000, {"number": 3, "list": [1, "x"]}
    message = Outgoing("", TASKS, body, "m", "c", headers, content_type="text/x")
    assert publish(broker, [message, Outgoing("", TASKS, b"")], 20) == ["", ""]
    first, second = empty()
    assert first == Message(body, "m", "c", None, "text/x", headers, False, "", TASKS)
    assert second == Message(b"", None, None, None, "application/json", {}, False, "", TASKS)


def test_nothing_to_publish_needs_no_broker() -> None:
    assert publish("amqp://nowhere.invalid/", [], 1) == []


def test_a_reply_queue_that_is_gone_is_told_and_harms_no_neighbour(broker: str, empty: Empty) -> None:
    good = numbered(2)
    gone = Outgoing("", "gone", b"reply", "id-0", mandatory=True)
    event = Outgoing(STATUS_EXCHANGE, "sleep.queued", b"nobody listens")
    asked = [good[0], gone, event, gone, good[1]]
    assert publish(broker, asked, 20) == ["", NO_QUEUE, "", NO_QUEUE, ""]
    assert [message.body for message in empty()] == [b"0", b"1"]


def test_thousands_of_replies_to_nobody_are_all_told(broker: str) -> None:
    messages = [Outgoing("", f"gone-{number % 7}", b"reply", mandatory=number % 2 == 0) for number in range(5000)]
    assert publish(broker, messages, 60) == [NO_QUEUE if message.mandatory else "" for message in messages]


def test_what_no_frame_can_carry_is_told_and_harms_no_neighbour(broker: str, empty: Empty) -> None:
    good = numbered(2)
    long = Outgoing("", "x" * 300, b"")
    strange = Outgoing("", TASKS, b"", headers={"object": object()})
    large = Outgoing("", TASKS, b"", headers={"number": 2**70})
    surrogate = Outgoing("", "\ud800", b"")
    reasons = publish(broker, [good[0], long, strange, large, surrogate, good[1]], 20)
    assert [reason.startswith("it cannot be sent: ") for reason in reasons] == [
        False,
        True,
        True,
        True,
        True,
        False,
    ]
    assert [message.body for message in empty()] == [b"0", b"1"]


POISON = {
    "channel, 404": Outgoing("nowhere", "x", b""),
    "channel, 403": Outgoing("forbidden", "x", b""),
    "channel, 406": Outgoing("", TASKS, b"x", headers={"CC": "no list"}),
    "connection, 501": Outgoing("", TASKS, b"x", headers={"large": "x" * 200_000}),
    "connection, 541": Outgoing("", "amq.rabbitmq.reply-to.a.b", b""),  # a name of direct reply-to that is none
}
WORDS = {
    "channel, 404": "no exchange 'nowhere'",
    "channel, 403": "access to exchange 'forbidden'",
    "channel, 406": "unacceptable_type_in_header",
    "connection, 501": "frame_too_large",
    "connection, 541": "INTERNAL_ERROR",
}


@pytest.fixture
def restricted(broker: str, rabbitmq: RabbitMQ) -> str:
    """The URL for a user who may not write to the exchange `forbidden`."""
    vhost = broker.rpartition("/")[2]
    with open_connection(broker, "test") as connection:
        connection.channel().exchange_declare("forbidden")
    rabbitmq.ctl("add_user", vhost, "secret")
    rabbitmq.ctl("set_permissions", "-p", vhost, vhost, "", "^(amq.default|nowhere)$", ".*")
    return broker.replace("guest:guest", f"{vhost}:secret")


def arrived(messages: list[Message]) -> list[int]:
    """Numbers of messages in the order of their first arrival; none has come more than twice."""
    numbers = [int(message.body) for message in messages]
    assert max(Counter(numbers).values()) <= 2
    return list(dict.fromkeys(numbers))


@pytest.mark.parametrize("poison", POISON)
def test_a_message_for_which_the_broker_closes_fails_alone(restricted: str, empty: Empty, poison: str) -> None:
    for places in [[0], [250], [500], [3, 4, 250, 503]]:
        messages = numbered(500)
        for place in places:
            messages.insert(place, POISON[poison])

        reasons = publish(restricted, messages, 60)

        assert [number for number, reason in enumerate(reasons) if reason] == places
        for place in places:
            assert reasons[place].startswith("the broker refuses it: ")
            assert WORDS[poison] in reasons[place]
        assert arrived(empty()) == list(range(500))


def test_messages_of_all_poisons_are_each_told_and_harm_nobody_in_thousands(restricted: str, empty: Empty) -> None:
    messages = numbered(3000)
    for place, poison in enumerate(POISON.values()):
        messages.insert(600 * place, poison)

    reasons = publish(restricted, messages, 60)

    assert [number for number, reason in enumerate(reasons) if reason] == [0, 600, 1200, 1800, 2400]
    assert arrived(empty()) == list(range(3000))


def test_where_all_are_refused_the_time_is_kept_and_the_rest_waits(restricted: str) -> None:
    began = time.monotonic()

    reasons = publish(restricted, [POISON["connection, 541"]] * 5000, 2)

    assert time.monotonic() - began < 8
    counted = [reason.startswith("the broker refuses it: ") for reason in reasons]
    assert 0 < counted.count(True) < 5000
    assert counted == sorted(counted, reverse=True)
    assert {reason.partition(":")[0] for reason in reasons} <= {
        "the broker refuses it",
        "not sent",
        "not confirmed",
    }


def test_a_queue_that_is_full_is_told_and_harms_no_neighbour(broker: str, empty: Empty) -> None:
    with open_connection(broker, "test") as connection:
        limits = {"x-max-length": 1, "x-overflow": "reject-publish"}
        connection.channel().queue_declare("full", arguments=limits)
    good = numbered(2)

    reasons = publish(broker, [Outgoing("", "full", b""), good[0], Outgoing("", "full", b""), good[1]], 20)

    assert reasons == ["", "", NOT_TAKEN, ""]
    assert arrived(empty()) == [0, 1]


def test_a_broker_that_is_not_there_gives_reasons_in_time() -> None:
    began = time.monotonic()
    reasons = publish(f"amqp://guest:secret@127.0.0.1:{free_port()}/", numbered(3), 1)
    assert time.monotonic() - began < 5
    assert len(reasons) == 3
    assert all("does not answer" in reason and "secret" not in reason for reason in reasons)


def test_wrong_credentials_are_reasons_and_a_url_of_no_broker_is_a_mistake(rabbitmq: RabbitMQ) -> None:
    (reason,) = publish(rabbitmq.url.replace("guest:guest", "guest:wrong"), numbered(1), 20)
    assert "refuses access" in reason
    with pytest.raises(InputError):
        publish("http://localhost", numbered(1), 1)


def test_a_memory_alarm_gives_reasons_in_time_and_hinders_nothing_after_it(
    broker: str, rabbitmq: RabbitMQ, empty: Empty
) -> None:
    rabbitmq.set_memory_alarm(True)
    try:
        began = time.monotonic()
        reasons = publish(broker, numbered(3000), 2)
        assert time.monotonic() - began < 8
    finally:
        rabbitmq.set_memory_alarm(False)
    assert len(reasons) == 3000
    assert all("takes no messages now" in reason for reason in reasons)
    empty()  # what had been sent may have arrived
    assert publish(broker, numbered(3000), 60) == [""] * 3000
    assert [int(message.body) for message in empty()] == list(range(3000))


def test_a_memory_alarm_that_ends_meanwhile_is_waited_for(broker: str, rabbitmq: RabbitMQ, empty: Empty) -> None:
    messages = numbered(3000)
    rabbitmq.set_memory_alarm(True)
    ending = threading.Timer(1, rabbitmq.set_memory_alarm, [False])
    ending.start()
    try:
        reasons = publish(broker, messages, 60)
    finally:
        ending.join()
    if reasons[0] == "not confirmed: nothing came back in time":
        # RabbitMQ 3.10 has once confirmed nothing by a connection that it had blocked, though it read again
        assert not any("takes no messages" in reason for reason in reasons)
        told = [message for message, reason in zip(messages, reasons, strict=True) if reason]
        reasons = publish(broker, told, PATIENCE)
    assert Counter(reasons) == {"": len(reasons)}, rabbitmq.ctl("list_connections", "name", "state")
    assert arrived(empty()) == list(range(3000))


def test_a_broker_that_hangs_gives_reasons_in_time(broker: str, rabbitmq: RabbitMQ) -> None:
    with rabbitmq.pause():
        began = time.monotonic()
        (reason,) = publish(broker, numbered(1), 1)
        assert time.monotonic() - began < 8
    assert "nothing came back in time" in reason


class Disturbed(Sequence[Outgoing]):
    """Messages, in the middle of which something happens."""

    def __init__(self, messages: list[Outgoing], at: int, disturb: Callable[[], None]) -> None:
        self.messages, self.at, self.disturb = messages, at, disturb

    def __len__(self) -> int:
        return len(self.messages)

    @overload
    def __getitem__(self, index: int) -> Outgoing: ...
    @overload
    def __getitem__(self, index: slice) -> list[Outgoing]: ...
    def __getitem__(self, index: int | slice) -> Outgoing | list[Outgoing]:
        if index == self.at:
            self.at = -1
            self.disturb()
        return self.messages[index]


@pytest.mark.parametrize("how", ["close", "restart"])
def test_what_is_not_known_to_have_arrived_is_told_and_the_rest_is_there(
    broker: str, rabbitmq: RabbitMQ, empty: Empty, how: str
) -> None:
    def disturb() -> None:
        if how == "close":
            rabbitmq.close_all_connections()
        else:
            rabbitmq.stop()
            rabbitmq.start()

    messages = numbered(5000)
    reasons = publish(broker, Disturbed(messages, 2600, disturb), 60)
    told = [message for message, reason in zip(messages, reasons, strict=True) if reason]
    assert 0 < len(told) < 5000
    arrived = {int(message.body) for message in empty()}
    assert {number for number, reason in enumerate(reasons) if not reason} <= arrived
    assert publish(broker, told, 60) == [""] * len(told)
    assert arrived | {int(message.body) for message in empty()} == set(range(5000))
