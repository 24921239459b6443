"""Messages into the ledger: a task, a duplicate, or a dead letter."""

import pytest
from sqlalchemy import select

from cv_pipelines.database.task_tables import tasks
from cv_pipelines.errors import InputError
from cv_pipelines.tasks.ledger.dead_letters import drop, find_letter, list_letters, replay
from cv_pipelines.tasks.ledger.intake import Letter, receive
from cv_pipelines.tasks.ledger.ledger import Ledger
from cv_pipelines.tasks.ledger.submission import submit
from cv_pipelines.tasks.parsing import MAX_BYTES, Rejected
from tests.servers import on_both_databases
from tests.tasks.ledger.interruption import Died, dying
from tests.tasks.ledger.invariants import check, lost
from tests.tasks.ledger.messages import HOOK, letter, put, states, task, told


@on_both_databases
def test_a_message_becomes_a_task_that_says_what_it_said(ledger: Ledger) -> None:
    fields = {"priority": 7, "deadline": "2090-01-31T12:00:00+01:00", "reply": HOOK, "submitted_by": "Ä. Person"}
    received = put(ledger, "a", kind="classify_images", **fields)

    row = task(ledger, "a")
    assert (received.accepted, received.duplicates, len(received.events)) == (["a"], 0, 1)
    assert (row.kind, row.state, row.priority, row.attempts) == ("classify_images", "queued", 7, 0)
    assert row.params["uris"] == ["https://images.test/1.jpg"]
    assert row.deadline.isoformat() == "2090-01-31T11:00:00+00:00"
    assert (row.reply, row.submitted_by) == (HOOK, "Ä. Person")
    assert told(ledger, "a") == ["queued"]


@on_both_databases
def test_a_message_that_comes_again_is_a_duplicate(ledger: Ledger) -> None:
    put(ledger, "a")
    before = task(ledger, "a")

    received = receive(ledger, [letter("a"), letter("b"), letter("b")])

    assert (received.accepted, received.duplicates, received.refused) == (["b"], 2, [])
    assert task(ledger, "a") == before
    assert told(ledger, "a") == told(ledger, "b") == ["queued"]


@on_both_databases
@pytest.mark.parametrize("at_once", [True, False])
def test_another_message_under_the_same_id_is_a_dead_letter(ledger: Ledger, at_once: bool) -> None:
    first, other = letter("a", params={"seconds": 1}), letter("a", params={"seconds": 2})
    lists = [[first, other, first]] if at_once else [[first], [other], [first]]
    refused = [problem.code for one in lists for problem in receive(ledger, one).refused]

    assert refused == ["conflict"]
    assert task(ledger, "a").params == {"seconds": 1.0}
    (row,) = list_letters(ledger)
    assert (row.code, row.message_id, find_letter(ledger, row.id).body) == ("conflict", "a", other.body)
    check(ledger.database)


@on_both_databases
def test_a_list_with_bad_messages_harms_none_of_the_good_ones(ledger: Ledger) -> None:
    bad = [Letter(b""), Letter(b"\xff"), Letter(b"[" * 100_000), letter("a", "fail", {"times": -1})]
    good = [letter(f"good-{number}") for number in range(3)]

    received = receive(ledger, [bad[0], good[0], bad[1], bad[2], good[1], bad[3], good[2]])

    assert received.accepted == ["good-0", "good-1", "good-2"]
    assert len(received.refused) == len(list_letters(ledger)) == 4
    assert lost(ledger.database, bad + good) == []


@on_both_databases
def test_a_message_that_is_too_large_is_kept_in_part_and_cannot_be_replayed_as_it_was(ledger: Ledger) -> None:
    receive(ledger, [Letter(b"x" * (MAX_BYTES + 1)), Letter(b"x" * (MAX_BYTES + 2))])

    newest, oldest = list_letters(ledger)
    assert (oldest.size, oldest.code) == (MAX_BYTES + 1, "too_large")
    assert len(find_letter(ledger, newest.id).body) == MAX_BYTES
    with pytest.raises(InputError, match=r"262,144 of 262,145 bytes.*--file"):
        replay(ledger, oldest.id)
    assert replay(ledger, oldest.id, letter("a").body).accepted == ["a"]
    assert find_letter(ledger, oldest.id).state == "replayed"


@on_both_databases
def test_properties_that_no_database_takes_are_kept_legible(ledger: Ledger) -> None:
    receive(ledger, [Letter(b"?", "id\0\ud800", "reply\0", "7\0", {"x\0y": "z\0\udfff"}, ("given_up", "Why\0?"))])

    (row,) = list_letters(ledger)
    assert (row.message_id, row.reply_to, row.correlation_id) == (r"id\0\ud800", r"reply\0", r"7\0")
    assert (row.headers, row.code, row.reason) == ({r"x\0y": r"z\0\udfff"}, "given_up", r"Why\0?")


@on_both_databases
def test_a_dead_letter_that_comes_again_is_open_again_and_counted(ledger: Ledger) -> None:
    receive(ledger, [Letter(b"?"), Letter(b"?")])
    (row,) = list_letters(ledger)
    drop(ledger, row.id)
    assert [one.state for one in list_letters(ledger, state=None)] == ["dropped"]
    assert list_letters(ledger) == []

    receive(ledger, [Letter(b"?")])

    (again,) = list_letters(ledger)
    assert (again.id, again.state, again.times, again.decided_at) == (row.id, "open", 3, None)


@on_both_databases
def test_a_letter_that_is_replayed_becomes_a_task_or_stays(ledger: Ledger) -> None:
    receive(ledger, [Letter(letter("a").body, problem=("delivery_limit", "Given up.")), Letter(b"?")])
    good, bad = sorted(list_letters(ledger), key=lambda row: row.code)

    assert replay(ledger, good.id).accepted == ["a"]
    assert replay(ledger, good.id).duplicates == 1
    assert [one.code for one in replay(ledger, bad.id).refused] == ["not_json"]

    assert {one.id: one.state for one in list_letters(ledger, state=None)} == {good.id: "replayed", bad.id: "open"}
    with pytest.raises(InputError, match="There is no dead letter 999"):
        replay(ledger, 999)


@on_both_databases
def test_letters_are_listed_in_pages(ledger: Ledger) -> None:
    receive(ledger, [Letter(f"{number:02}?".encode()) for number in range(25)])

    first = list_letters(ledger, limit=20)
    rest = list_letters(ledger, limit=20, after=first[-1].id)

    assert (len(first), len(rest)) == (20, 5)
    ids = [row.id for row in [*first, *rest]]
    assert ids == sorted(set(ids), reverse=True)


@on_both_databases
def test_messages_of_one_list_are_as_old_as_their_order_says(ledger: Ledger) -> None:
    names = [f"task-{number * 7 % 30:02}" for number in range(30)]
    put(ledger, *names[:20])
    put(ledger, *names[20:])

    with ledger.database.connect() as connection:
        assert list(connection.scalars(select(tasks.c.id).order_by(tasks.c.created_at))) == names


@on_both_databases
@pytest.mark.parametrize("statements", range(5))
def test_an_intake_that_dies_in_the_middle_has_never_been(ledger: Ledger, statements: int) -> None:
    letters = [letter("a"), letter("b"), Letter(b"?")]
    with pytest.raises(Died), dying(ledger.database, statements):
        receive(ledger, letters)

    assert states(ledger) == {}
    assert list_letters(ledger) == []
    assert receive(ledger, letters).accepted == ["a", "b"]
    assert lost(ledger.database, letters) == []


@on_both_databases
def test_whoever_waits_for_the_answer_is_told_what_is_wrong_and_leaves_no_dead_letter(ledger: Ledger) -> None:
    first = submit(ledger, letter("a").body)
    again = submit(ledger, letter("a").body)

    assert (first.is_new, again.is_new, again.events) == (True, False, [])
    with pytest.raises(Rejected, match="another task has had the id a before"):
        submit(ledger, letter("a", params={"seconds": 5}).body)
    with pytest.raises(Rejected, match="not JSON"):
        submit(ledger, b"?")
    assert list_letters(ledger, state=None) == []
