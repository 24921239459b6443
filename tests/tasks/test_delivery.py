"""Telling of events: who hears what, and what becomes of what nobody took."""

import json
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from cv_pipelines.broker.connection import open_connection
from cv_pipelines.broker.consumer import drain
from cv_pipelines.broker.messages import Message, Outgoing
from cv_pipelines.broker.publisher import NO_QUEUE
from cv_pipelines.broker.topology import declare
from cv_pipelines.database.clock import now
from cv_pipelines.database.engine import open_database
from cv_pipelines.database.task_tables import events, tasks
from cv_pipelines.errors import InputError
from cv_pipelines.tasks.delivery import Courier, make_courier
from cv_pipelines.tasks.ledger.cancelling import cancel
from cv_pipelines.tasks.ledger.intake import Letter, receive
from cv_pipelines.tasks.ledger.ledger import Ledger
from cv_pipelines.tasks.ledger.outbox import MOST_TRIES, redeliver, undelivered
from cv_pipelines.tasks.ledger.queries import deliveries_of, events_of
from cv_pipelines.tasks.message import StatusMessage
from cv_pipelines.tasks.webhooks import Answer
from tests.rabbitmq import RabbitMQ

QUEUE = {"reply_to": "answers", "correlation_id": "66"}
HOOK = {"webhook": "https://example.com/hook"}


class World:
    """A broker and webhooks that do as they are told, and a courier between them and a ledger."""

    def __init__(self, ledger: Ledger, broker: bool = True) -> None:
        self.ledger = ledger
        self.published: list[Outgoing] = []
        self.posted: list[tuple[str, int]] = []
        self.reason = {"": "", "cv.status": ""}
        self.answer = Answer(204, "", 3)
        self.delay = 0.0
        self.courier = Courier(ledger, self.publish if broker else None, self.post)

    def publish(self, messages: Sequence[Outgoing]) -> list[str]:
        self.published += messages
        return [self.reason[message.exchange] for message in messages]

    def post(self, url: str, body: bytes, *, headers: Mapping[str, str]) -> Answer:
        time.sleep(self.delay)
        told = json.loads(body)
        assert (headers["X-Task-Id"], headers["X-Event-Number"]) == (told["task_id"], str(told["number"]))
        self.posted.append((told["task_id"], told["number"]))
        return self.answer

    def submit(self, name: str, reply: Mapping[str, Any] | None = None) -> None:
        task = {
            "schema": "cv.task/v1",
            "task_id": name,
            "kind": "sleep",
            "params": {"seconds": 1.0},
            "reply": reply,
        }
        body = json.dumps(task | {"reply": reply}).encode()
        assert receive(self.ledger, [Letter(body)]).accepted == [name]

    def sweep(self) -> int:
        """Sweep, however young the events are."""
        with self.ledger.database.begin() as connection:
            connection.execute(events.update().values(next_at=now()))
        return self.courier.sweep(5)


@pytest.fixture
def world(database_url: str) -> World:
    return World(Ledger(open_database(database_url), has_broker=True))


def states(world: World, name: str) -> list[str]:
    return [event.delivery for event in events_of(world.ledger, name)]


def test_the_exchange_hears_of_everything_and_a_reply_queue_of_the_end(world: World) -> None:
    world.submit("a", QUEUE)
    cancel(world.ledger, "a")

    assert world.sweep() == 2

    told = [(one.exchange, one.routing_key, one.mandatory) for one in world.published]
    assert told == [
        ("cv.status", "sleep.queued", False),
        ("cv.status", "sleep.cancelled", False),
        ("", "answers", True),
    ]
    reply = world.published[-1]
    assert (reply.correlation_id, reply.message_id) == ("66", "a:2")
    status = StatusMessage.model_validate_json(reply.body)
    assert (status.task_id, status.number, status.state) == ("a", 2, "cancelled")
    assert status.error is not None
    assert status.error.code == "cancelled"
    assert states(world, "a") == ["delivered", "delivered"]
    assert world.sweep() == 0


def test_a_webhook_hears_of_everything_in_order(world: World) -> None:
    world.submit("a", HOOK)
    cancel(world.ledger, "a")

    world.sweep()

    assert world.posted == [("a", 1), ("a", 2)]
    (first, second) = deliveries_of(world.ledger, "a")
    assert (first.number, first.status, first.error, first.url) == (1, 204, "", HOOK["webhook"])
    assert second.number == 2


def test_a_webhook_that_fails_hears_of_nothing_later_first(world: World) -> None:
    world.submit("a", HOOK)
    cancel(world.ledger, "a")
    world.answer = Answer(500, "the server answers 500", 3)
    world.sweep()
    world.answer = Answer(204, "", 3)
    world.sweep()

    assert world.posted == [("a", 1), ("a", 1), ("a", 2)]
    assert states(world, "a") == ["delivered", "delivered"]


def test_a_queue_that_is_not_there_is_given_up_with_the_reason_until_somebody_asks_again(world: World) -> None:
    world.submit("a", QUEUE)
    cancel(world.ledger, "a")
    world.reason[""] = NO_QUEUE

    for _ in range(MOST_TRIES + 2):
        world.sweep()

    replies = [one for one in world.published if one.exchange == ""]
    assert len(replies) == MOST_TRIES
    last = events_of(world.ledger, "a")[-1]
    assert (last.delivery, last.reason, last.pending) == ("abandoned", NO_QUEUE, ["reply"])
    assert undelivered(world.ledger) == {"open": 0, "abandoned": 1}

    world.reason[""] = ""
    assert redeliver(world.ledger, "a") == 1
    world.sweep()

    assert states(world, "a") == ["delivered", "delivered"]
    assert len([one for one in world.published if one.exchange == "cv.status"]) == 2, "it has had them before"


def test_a_refusal_is_told_as_a_status_of_a_message_that_is_no_task(world: World) -> None:
    letter = Letter(b'{"kind": "sleep", "task_id": "a", "reply": 7}', None, "answers", "66")
    assert receive(world.ledger, [letter, Letter(b"?")]).accepted == []

    assert world.sweep() == 2

    told = sorted((one.exchange, one.routing_key, one.mandatory) for one in world.published)
    assert told == [
        ("", "answers", True),
        ("cv.status", "sleep.rejected", False),
        ("cv.status", "unknown.rejected", False),
    ]
    (reply,) = [one for one in world.published if one.routing_key == "answers"]
    status = StatusMessage.model_validate_json(reply.body)
    assert (reply.correlation_id, status.task_id, status.kind, status.number) == ("66", "a", "sleep", 1)
    assert (status.state, status.result, status.progress) == ("rejected", None, None)
    assert status.error is not None
    assert (status.error.source, status.error.code) == ("input", "invalid")
    assert "schema: Field required" in status.error.message
    (nameless,) = [one for one in world.published if one.routing_key == "unknown.rejected"]
    assert json.loads(nameless.body)["task_id"] is None
    assert len({one.message_id for one in world.published}) == 2
    assert undelivered(world.ledger) == {"open": 0, "abandoned": 0}


def test_a_webhook_of_refused_messages_hears_of_each(world: World) -> None:
    posted: list[tuple[str, str | None]] = []

    def post(url: str, body: bytes, *, headers: Mapping[str, str]) -> Answer:
        posted.append((headers["X-Task-Id"], json.loads(body)["task_id"]))
        return Answer(204, "", 3)

    world.courier = Courier(world.ledger, world.publish, post)
    for name in ["a", "b", "?"]:
        receive(world.ledger, [Letter(json.dumps({"task_id": name, "reply": HOOK}).encode())])

    world.sweep()

    assert sorted(posted, key=str) == [("", None), ("a", "a"), ("b", "b")]


def test_a_refusal_whose_queue_is_gone_is_given_up(world: World) -> None:
    receive(world.ledger, [Letter(b"?", "a", "answers")])
    world.reason[""] = NO_QUEUE

    for _ in range(MOST_TRIES + 2):
        world.sweep()

    assert len([one for one in world.published if one.exchange == ""]) == MOST_TRIES
    assert undelivered(world.ledger) == {"open": 0, "abandoned": 1}


def test_a_receiver_for_whom_the_broker_closes_spends_its_own_tries_only(world: World, rabbitmq: RabbitMQ) -> None:
    url = rabbitmq.new_vhost()
    with open_connection(url, "test") as connection:
        channel = connection.channel()
        declare(channel)
        channel.queue_declare("answers", durable=True)
    names = [f"a{number:03}" for number in range(201)]
    for name in names:
        world.submit(name, QUEUE)
        cancel(world.ledger, name)
    poisoned = {"reply_to": "amq.rabbitmq.reply-to.a.b"}  # intake refuses the names that we know of
    with world.ledger.database.begin() as connection:
        connection.execute(tasks.update().where(tasks.c.id == "a100").values(reply=poisoned))
    world.courier = make_courier(world.ledger, url, 30, "", ())

    assert world.sweep() == 402

    (*_, event) = events_of(world.ledger, "a100")
    assert (event.delivery, event.tries, event.pending) == ("open", 1, ["reply"])
    assert event.reason == "the broker refuses it: INTERNAL_ERROR"
    assert undelivered(world.ledger) == {"open": 1, "abandoned": 0}
    told: list[Message] = []
    while drain(url, "answers", told.extend, seconds=20, idle=0.3):
        pass
    ids = [json.loads(message.body)["task_id"] for message in told]
    assert list(dict.fromkeys(ids)) == [name for name in names if name != "a100"]
    assert max(Counter(ids).values()) <= 2


def test_a_broker_that_is_away_spends_no_tries_and_holds_up_no_webhook(world: World) -> None:
    world.submit("a", QUEUE)
    world.submit("b", HOOK)
    world.reason = {"": "the broker is away", "cv.status": "the broker is away"}

    for _ in range(MOST_TRIES + 2):
        world.sweep()

    assert undelivered(world.ledger)["abandoned"] == 0
    assert world.posted == [("b", 1)]
    world.reason = {"": "", "cv.status": ""}
    world.sweep()
    assert undelivered(world.ledger) == {"open": 0, "abandoned": 0}


def test_slow_webhooks_are_called_at_once_and_the_sweep_ends_in_time(world: World) -> None:
    for number in range(40):
        world.submit(f"a{number}", HOOK)
    world.delay = 0.5
    started = time.monotonic()

    with world.ledger.database.begin() as connection:
        connection.execute(events.update().values(next_at=now()))
    world.courier.sweep(0.8)

    assert time.monotonic() - started < 3
    assert 16 <= len(world.posted) < 40
    world.delay = 0.0
    time.sleep(0.6)  # for calls that were under way
    world.sweep()
    assert {name for name, _ in world.posted} == {f"a{number}" for number in range(40)}


def test_a_dead_host_is_not_called_for_each_of_its_events_and_others_are_told(world: World) -> None:
    for number in range(100):
        world.submit(f"a{number:02}", {"webhook": "https://dead.example/hook"})
    world.submit("z", HOOK)
    alive = world.post

    def post(url: str, body: bytes, *, headers: Mapping[str, str]) -> Answer:
        if "dead" not in url:
            return alive(url, body, headers=headers)
        world.posted.append(("dead", 0))
        return Answer(None, "no answer within 5 s", 5000)

    world.courier = Courier(world.ledger, world.publish, post)
    world.sweep()

    assert 5 <= world.posted.count(("dead", 0)) <= 20, "some were under way together"
    assert ("z", 1) in world.posted
    assert events_of(world.ledger, "a99")[0].tries == 1


def test_a_broker_url_that_is_none_is_nobody_elses_fault(world: World) -> None:
    world.submit("a", HOOK)

    def publish(_: Sequence[Outgoing]) -> list[str]:
        raise InputError("broker_url", "CV_RABBITMQ_URL is not a URL of a broker.")

    world.courier = Courier(world.ledger, publish, world.post)
    world.sweep()

    assert world.posted == [("a", 1)]
    (event,) = events_of(world.ledger, "a")
    assert (event.delivery, event.tries, event.pending) == ("open", 0, ["exchange"])


def test_without_a_broker_a_reply_queue_is_given_up_and_the_reason_says_why(database_url: str) -> None:
    world = World(Ledger(open_database(database_url)), broker=False)
    world.submit("a", QUEUE)
    cancel(world.ledger, "a")

    for _ in range(MOST_TRIES + 1):
        world.sweep()

    first, last = events_of(world.ledger, "a")
    assert first.delivery == "delivered", "there is nobody to tell"
    assert (last.delivery, "CV_RABBITMQ_URL" in last.reason) == ("abandoned", True)


def test_own_events_are_told_at_once_and_not_swept_up_again(world: World) -> None:
    world.submit("a")
    told = cancel(world.ledger, "a")

    world.courier.announce(told)
    world.courier.announce([])

    assert [one.routing_key for one in world.published] == ["sleep.cancelled"]
    assert states(world, "a") == ["open", "delivered"]


def test_two_who_sweep_at_once_share_the_work(world: World) -> None:
    for number in range(200):
        world.submit(f"a{number}")
    with world.ledger.database.begin() as connection:
        connection.execute(events.update().values(next_at=now()))

    threads = [threading.Thread(target=world.courier.sweep, args=(5,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(one.message_id or "" for one in world.published) == sorted(f"a{n}:1" for n in range(200))
