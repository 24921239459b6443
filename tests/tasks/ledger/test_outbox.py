"""Events to whoever has to be told, until they know or are given up."""

from typing import Any

import pytest
from sqlalchemy import Row, select

from cv_pipelines.database.clock import now
from cv_pipelines.database.task_tables import events
from cv_pipelines.tasks.ledger.cancelling import cancel
from cv_pipelines.tasks.ledger.ledger import Ledger
from cv_pipelines.tasks.ledger.outbox import (
    MOST_TRIES,
    Delivery,
    Failure,
    own,
    redeliver,
    settle,
    take,
    undelivered,
)
from cv_pipelines.tasks.ledger.queries import deliveries_of, events_of
from tests.servers import on_both_databases
from tests.tasks.ledger.invariants import check
from tests.tasks.ledger.messages import HOOK, pass_time, put

DEAD, AWAY = Failure("webhook: it is dead"), Failure("the broker is away", counts=False)


def event_of(ledger: Ledger, name: str) -> Row[Any]:
    (row,) = events_of(ledger, name)
    return row


def wait_of(ledger: Ledger, name: str) -> float:
    """Seconds until an event is due."""
    with ledger.database.connect() as connection:
        moment = connection.scalars(select(now())).one()
    return float((event_of(ledger, name).next_at - moment).total_seconds())


@on_both_databases
def test_events_are_for_those_who_asked_to_be_told(ledger: Ledger) -> None:
    put(ledger, "a", reply=HOOK)
    put(ledger, "b", reply={"reply_to": "answers", "correlation_id": "7"})
    cancel(ledger, "a")
    cancel(ledger, "b")

    assert [row.pending for row in events_of(ledger, "a")] == [["exchange", "webhook"]] * 2
    assert [row.pending for row in events_of(ledger, "b")] == [["exchange"], ["exchange", "reply"]]
    alone = Ledger(ledger.database, has_broker=False)
    assert put(alone, "c").events == []
    assert event_of(alone, "c").delivery == "delivered"
    assert len(put(alone, "d", reply=HOOK).events) == 1


@on_both_databases
def test_new_events_are_left_to_their_own_process_for_a_while_and_those_taken_to_who_took_them(
    ledger: Ledger,
) -> None:
    received = put(ledger, "a", "b", "c")
    assert take(ledger, 10) == []
    assert {row.task_id: row.kind for row in own(ledger, received.events)} == dict.fromkeys("abc", "sleep")

    pass_time(ledger)

    assert [row.task_id for row in take(ledger, 2)] == ["a", "b"]
    assert [row.task_id for row in take(ledger, 2)] == ["c"]
    assert take(ledger, 2) == []
    assert 30 < wait_of(ledger, "a") <= 60


@on_both_databases
def test_an_event_is_delivered_when_all_have_it(ledger: Ledger) -> None:
    (number,) = put(ledger, "a", reply=HOOK).events

    settle(ledger, {number: {"exchange": None}})
    assert (event_of(ledger, "a").delivery, event_of(ledger, "a").pending) == ("open", ["webhook"])
    assert event_of(ledger, "a").tries == 0
    settle(ledger, {number: {"webhook": None}}, [Delivery(number, HOOK["webhook"], 200, "", 12)])

    assert (event_of(ledger, "a").delivery, event_of(ledger, "a").pending) == ("delivered", [])
    assert [(row.number, row.status, row.milliseconds) for row in deliveries_of(ledger, "a")] == [(1, 200, 12)]
    settle(ledger, {number: {"webhook": DEAD}})
    assert event_of(ledger, "a").delivery == "delivered"


@on_both_databases
def test_a_dead_receiver_is_tried_ever_more_seldom_and_then_given_up_until_somebody_asks(ledger: Ledger) -> None:
    (number,) = put(ledger, "a", reply=HOOK).events
    waits = []
    for _ in range(MOST_TRIES):
        assert event_of(ledger, "a").delivery == "open"
        settle(ledger, {number: {"exchange": None, "webhook": DEAD}})
        waits.append(wait_of(ledger, "a"))

    assert [round(wait, -1) for wait in waits] == [10, 20, 40, 80, 160, 320, 600, 600]
    row = event_of(ledger, "a")
    assert (row.delivery, row.pending, row.reason) == ("abandoned", ["webhook"], "webhook: it is dead")
    assert undelivered(ledger) == {"open": 0, "abandoned": 1}
    check(ledger.database)
    assert redeliver(ledger, "another") == 0
    assert redeliver(ledger, "a") == 1
    assert [(one.id, one.tries, one.pending) for one in take(ledger, 5)] == [(number, 0, ["webhook"])]


@on_both_databases
def test_a_broker_that_is_away_is_waited_for_whatever_else_is_dead(ledger: Ledger) -> None:
    (number,) = put(ledger, "a", reply=HOOK).events
    for _ in range(MOST_TRIES + 2):
        settle(ledger, {number: {"exchange": AWAY, "webhook": DEAD}})
    assert undelivered(ledger) == {"open": 1, "abandoned": 0}
    assert event_of(ledger, "a").reason == "the broker is away; webhook: it is dead"

    settle(ledger, {number: {"exchange": None, "webhook": DEAD}})

    assert (event_of(ledger, "a").delivery, event_of(ledger, "a").pending) == ("abandoned", ["webhook"])


@on_both_databases
@pytest.mark.parametrize("count", [1, 1000, 2001])
def test_many_events_are_settled_at_once(ledger: Ledger, count: int) -> None:
    numbers = put(ledger, *(f"task-{number}" for number in range(count))).events

    settle(ledger, {number: {"exchange": None} for number in numbers})

    assert undelivered(ledger) == {"open": 0, "abandoned": 0}
    with ledger.database.connect() as connection:
        assert set(connection.scalars(select(events.c.delivery))) == {"delivered"}
