"""Messages that are refused: their senders are told, as durably as of everything else."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Row, select

from cv_pipelines.database.task_tables import events
from cv_pipelines.tasks.ledger.dead_letters import drop, list_letters, replay
from cv_pipelines.tasks.ledger.intake import Letter, receive
from cv_pipelines.tasks.ledger.ledger import Ledger
from cv_pipelines.tasks.ledger.outbox import own, settle
from cv_pipelines.tasks.ledger.retention import prune
from tests.servers import on_both_databases
from tests.tasks.ledger.interruption import Died, dying
from tests.tasks.ledger.invariants import check
from tests.tasks.ledger.messages import HOOK, letter, put, told

REFUSED = Letter(b"?", "a", "answers", "7")


def all_events(ledger: Ledger) -> list[Row[Any]]:
    with ledger.database.connect() as connection:
        return list(connection.execute(select(events).order_by(events.c.id)))


@on_both_databases
def test_a_refusal_is_told_to_who_can_be_told(ledger: Ledger) -> None:
    received = receive(ledger, [REFUSED])

    (row,) = own(ledger, received.events)
    assert (row.task_id, row.kind, row.number, row.state) == ("a", None, 1, "rejected")
    assert (row.code, row.refusal) == ("not_json", "The message is not JSON: Expecting value at line 1, column 1.")
    assert row.pending == ["exchange", "reply"]
    assert row.reply == {"reply_to": "answers", "correlation_id": "7"}
    check(ledger.database)


@on_both_databases
def test_who_is_told_is_read_from_the_body_where_the_properties_say_nothing(ledger: Ledger) -> None:
    bad = letter("b", "classify_images", {"dataset": "?"}, reply=HOOK)

    (row,) = own(ledger, receive(ledger, [replace(bad, message_id=None), letter("c")]).events[:1])

    assert (row.task_id, row.kind, row.pending, row.reply) == (
        "b",
        "classify_images",
        ["exchange", "webhook"],
        HOOK,
    )


@on_both_databases
def test_without_a_broker_and_a_sender_there_is_nobody_to_tell(ledger: Ledger) -> None:
    alone = Ledger(ledger.database)

    assert receive(alone, [Letter(b"?")]).events == []
    (event,) = own(alone, receive(alone, [REFUSED]).events)
    assert event.pending == ["reply"], "which is abandoned some day, as those of tasks are"


@on_both_databases
def test_a_refusal_is_told_again_when_it_was_sent_again_and_only_then(ledger: Ledger) -> None:
    delivered_again = replace(REFUSED, again=True)

    assert len(receive(ledger, [delivered_again]).events) == 1, "the first that we see of it"
    assert receive(ledger, [delivered_again]).events == []
    assert len(receive(ledger, [REFUSED, REFUSED]).events) == 1, "copies that come together"
    assert len(receive(ledger, [REFUSED, delivered_again]).events) == 1

    assert [event.number for event in all_events(ledger)] == [1, 4, 6]
    assert [row.times for row in list_letters(ledger)] == [6]
    check(ledger.database)


@on_both_databases
def test_what_the_broker_gave_up_is_told_and_may_be_a_task_later(ledger: Ledger) -> None:
    given_up = replace(letter("a"), reply_to="answers", problem=("delivery_limit", "Given up."))
    (row,) = own(ledger, receive(ledger, [given_up]).events)
    assert (row.task_id, row.kind, row.code, row.refusal) == ("a", "sleep", "delivery_limit", "Given up.")

    replay(ledger, list_letters(ledger)[0].id)

    assert told(ledger, "a") == ["queued"]
    assert [(event.dead_letter_id is None, event.state) for event in all_events(ledger)] == [
        (False, "rejected"),
        (True, "queued"),
    ]
    check(ledger.database)


@on_both_databases
def test_a_person_who_replays_in_vain_tells_nobody(ledger: Ledger) -> None:
    receive(ledger, [REFUSED])

    received = replay(ledger, list_letters(ledger)[0].id)

    assert ([problem.code for problem in received.refused], received.events) == (["not_json"], [])
    assert len(all_events(ledger)) == 1


@on_both_databases
@pytest.mark.parametrize("statements", range(6))
def test_a_letter_and_what_is_told_of_it_are_one(ledger: Ledger, statements: int) -> None:
    with pytest.raises(Died), dying(ledger.database, statements):
        receive(ledger, [letter("a"), REFUSED])

    assert (list(list_letters(ledger)), all_events(ledger)) == ([], [])
    assert len(receive(ledger, [letter("a"), REFUSED]).events) == 2


@on_both_databases
def test_a_letter_is_forgotten_when_its_sender_knows(ledger: Ledger) -> None:
    put(ledger, "task")
    (number,) = receive(ledger, [REFUSED]).events
    (row,) = list_letters(ledger)
    assert prune(ledger, 0, 0)["dead_letters"] == 0, "nobody has decided"
    drop(ledger, row.id)
    assert prune(ledger, 0, 0)["dead_letters"] == 0, "somebody has to be told"

    settle(ledger, {number: {"exchange": None, "reply": None}})

    assert prune(ledger, 0, 30)["dead_letters"] == 0, "it is kept as long as events"
    gone = prune(ledger, 30, 0)
    assert (gone["events"], gone["dead_letters"]) == (1, 1)
    assert [event.task_id for event in all_events(ledger)] == ["task"]
