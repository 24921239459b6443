"""From tasks that wait to attempts."""

import pytest
from sqlalchemy import select, update

from cv_pipelines.database.task_tables import tasks
from cv_pipelines.tasks.kinds.protocol import TaskKind
from cv_pipelines.tasks.kinds.registry import kind_of
from cv_pipelines.tasks.ledger.cancelling import cancel
from cv_pipelines.tasks.ledger.claims import MOST_RUNS, claim, expire, open_attempts
from cv_pipelines.tasks.ledger.closing import LOST, close, close_done
from cv_pipelines.tasks.ledger.ledger import Ledger
from cv_pipelines.tasks.ledger.work import finish
from tests.servers import on_both_databases
from tests.tasks.ledger.messages import (
    DONE,
    begun,
    failure,
    letter,
    pass_deadline,
    pass_time,
    put,
    states,
    task,
    told,
)


def members(ledger: Ledger, attempt: int) -> list[str]:
    with ledger.database.connect() as connection:
        return sorted(connection.scalars(select(tasks.c.id).where(tasks.c.attempt == attempt)))


@on_both_databases
def test_tasks_that_go_together_share_an_attempt_whatever_they_came_with(ledger: Ledger) -> None:
    put(ledger, "cat-1", "cat-2", kind="classify_images")
    put(ledger, "dog-1", kind="classify_images", params={"dataset": "dogs"})
    put(ledger, "cat-3", kind="classify_images", params={"top": 2}, priority=9)
    put(ledger, "nap")

    assert claim(ledger) == 2

    attempts = open_attempts(ledger)
    assert {one.kind.name: members(ledger, one.id) for one in attempts} == {
        "classify_images": ["cat-1", "cat-2", "cat-3"],
        "sleep": ["nap"],
    }
    assert {one.kind.name: (one.tasks, one.wanted, one.priority) for one in attempts} == {
        "classify_images": (3, 3, 9),
        "sleep": (1, 1, 4),
    }
    assert claim(ledger) == 0


@on_both_databases
def test_what_comes_while_an_attempt_is_open_waits_for_the_next_one(ledger: Ledger) -> None:
    put(ledger, "a")
    claim(ledger)
    (first,) = open_attempts(ledger)
    put(ledger, "b", "c")
    assert claim(ledger) == 0

    finish(ledger, begun(ledger, first.id), {"a": DONE})

    assert claim(ledger) == 1
    assert members(ledger, open_attempts(ledger)[0].id) == ["b", "c"]


@on_both_databases
def test_the_most_urgent_and_then_the_oldest_come_first(ledger: Ledger) -> None:
    names = [f"train-{number:02}" for number in range(MOST_RUNS + 4)]
    for name in names:
        put(ledger, name, kind="train_model", priority=9 if name == names[-1] else 4, params={"dataset": name})

    assert claim(ledger) == MOST_RUNS

    claimed = [name for one in open_attempts(ledger) for name in members(ledger, one.id)]
    assert claimed == [names[-1], *names[: MOST_RUNS - 1]]
    assert [one.names for one in open_attempts(ledger)][:2] == [names[-1], names[0]]


@on_both_databases
def test_a_batch_key_is_as_urgent_as_its_most_urgent_task(ledger: Ledger) -> None:
    put(ledger, "dog-1", kind="classify_images", params={"dataset": "dogs"})
    put(ledger, "cat-1", "cat-2", kind="classify_images", priority=3)
    put(ledger, "cat-3", kind="classify_images", priority=5)

    claim(ledger)

    assert members(ledger, open_attempts(ledger)[0].id) == ["cat-1", "cat-2", "cat-3"]


@on_both_databases
def test_tasks_of_a_lost_run_are_tried_again_in_smaller_company_and_the_last_time_alone(ledger: Ledger) -> None:
    names = [f"task-{number:04}" for number in range(1000)]
    put(ledger, *names)
    sizes = []
    for number in range(4):
        assert claim(ledger) == 1
        (attempt,) = open_attempts(ledger)
        sizes.append(attempt.tasks)
        begun(ledger, attempt.id)
        close(ledger, attempt.id, LOST)
        assert number > 0 or claim(ledger) == 0, "they have to wait"
        pass_time(ledger)

    assert sizes == [1000, 100, 10, 1]
    assert {name for name, state in states(ledger).items() if state == "failed"} == {names[0]}
    failed = task(ledger, names[0])
    assert (failed.attempts, failed.error["code"], failed.epoch) == (4, "lost", 1)
    assert told(ledger, names[0]) == ["queued", *["running", "queued"] * 3, "running", "failed"]
    claim(ledger)
    assert members(ledger, open_attempts(ledger)[0].id) == names[1:2], "each on its own"


@on_both_databases
def test_a_run_is_as_much_work_as_its_kind_says_and_urgent_tasks_wait_for_no_more(ledger: Ledger) -> None:
    uris = [f"s3://camera/{number}.jpg" for number in range(256)]
    large = [f"large-{number:02}" for number in range(60)]
    put(ledger, *large, kind="classify_images", params={"uris": uris})
    put(ledger, "small", kind="classify_images", priority=9)

    claim(ledger)

    (attempt,) = open_attempts(ledger)
    assert members(ledger, attempt.id) == [*large[:39], "small"], (
        "39 * 256 + 1 images are below 10,000, 40 are not"
    )
    assert (task(ledger, large[0]).size, task(ledger, "small").size) == (256, 1)


@on_both_databases
def test_a_task_that_is_larger_than_a_run_has_one_of_its_own(ledger: Ledger) -> None:
    put(ledger, "a", "b", kind="classify_images")
    with ledger.database.begin() as connection:
        connection.execute(update(tasks).values(size=20_000))

    claim(ledger)

    assert members(ledger, open_attempts(ledger)[0].id) == ["a"]


@on_both_databases
@pytest.mark.parametrize("claimed", [False, True])
def test_a_queued_task_that_is_past_its_deadline_never_starts(ledger: Ledger, claimed: bool) -> None:
    put(ledger, "late", deadline="2090-01-31T12:00:00Z")
    put(ledger, "other", deadline="2090-01-31T12:00:00Z")
    if claimed:
        claim(ledger)
    pass_deadline(ledger, "late")

    events = expire(ledger)
    assert len(events) == (0 if claimed else 1)
    claim(ledger)
    (attempt,) = open_attempts(ledger)
    assert (attempt.tasks, attempt.wanted) == ((2, 1) if claimed else (1, 1))
    taken = begun(ledger, attempt.id)

    assert [one.id for one in taken.tasks] == ["other"]
    assert (task(ledger, "late").state, task(ledger, "late").error["code"]) == ("expired", "deadline")
    assert told(ledger, "late") == ["queued", "expired"]


@on_both_databases
def test_a_task_with_a_run_of_its_own_tells_of_its_parameters_and_ends_with_the_run(ledger: Ledger) -> None:
    put(ledger, "train", kind="train_model", params={"parameters": {"epochs": 3}})
    claim(ledger)
    (attempt,) = open_attempts(ledger)
    assert (attempt.names, attempt.run_id, attempt.begun, attempt.tasks) == ("cats", None, False, 1)
    assert attempt.params is not None
    assert attempt.params.model_dump() == {"dataset": "cats", "parameters": {"epochs": 3}, "name": None}
    assert 0 <= attempt.silent < 30

    close_done(ledger, attempt.id, {"dataset": "cats"})

    assert (task(ledger, "train").state, task(ledger, "train").result) == ("succeeded", {"dataset": "cats"})
    assert open_attempts(ledger) == []
    assert close_done(ledger, attempt.id, {"dataset": "dogs"}) == []
    assert task(ledger, "train").result == {"dataset": "cats"}


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)  # on SQLite nobody can come between
def test_an_attempt_whose_one_task_ends_while_it_is_looked_at_wants_no_run(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(ledger, "train", kind="train_model")
    claim(ledger)

    def cancel_between(name: str) -> TaskKind:
        cancel(ledger, "train")
        return kind_of(name)

    monkeypatch.setattr("cv_pipelines.tasks.ledger.claims.kind_of", cancel_between)
    (attempt,) = open_attempts(ledger)

    assert (attempt.tasks, attempt.wanted, attempt.names) == (0, 0, None)


def test_a_failure_of_one_source_is_no_reason_to_try_another(ledger: Ledger) -> None:
    put(ledger, "a", "b", "c")
    claim(ledger)
    taken = begun(ledger, open_attempts(ledger)[0].id)

    finish(ledger, taken, {"a": failure("input"), "b": failure("resource"), "c": DONE})

    assert states(ledger) == {"a": "failed", "b": "queued", "c": "succeeded"}
    assert letter("a").message_id == "a"
