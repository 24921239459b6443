"""A run at work on an attempt: begin, heartbeat, finish, each guarded by the epoch; and cancelling."""

import pytest

from cv_pipelines.errors import InputError
from cv_pipelines.tasks.ledger.cancelling import cancel
from cv_pipelines.tasks.ledger.claims import claim, open_attempts
from cv_pipelines.tasks.ledger.closing import LOST, close, close_cancelled, close_done
from cv_pipelines.tasks.ledger.ledger import Ledger
from cv_pipelines.tasks.ledger.supervision import begin_or_resume
from cv_pipelines.tasks.ledger.work import Begun, SupersededError, begin, finish, heartbeat
from tests.servers import on_both_databases
from tests.tasks.ledger.invariants import check
from tests.tasks.ledger.messages import DONE, begun, failure, pass_deadline, pass_time, put, states, task, told


def started(ledger: Ledger, *names: str, **fields: str) -> Begun:
    """Tasks that a run has just begun."""
    put(ledger, *names, **fields)
    claim(ledger)
    return begun(ledger, open_attempts(ledger)[0].id)


@on_both_databases
def test_a_run_begins_works_and_finishes(ledger: Ledger) -> None:
    taken = started(ledger, "a", "b")
    assert [one.id for one in taken.tasks] == ["a", "b"]
    assert (taken.epoch, len(taken.events), states(ledger)["a"]) == (1, 2, "running")

    assert len(heartbeat(ledger, taken, {"a": 0.5}).events) == 1
    assert task(ledger, "a").progress == 0.5
    assert len(finish(ledger, taken, {"a": DONE})) == 1
    assert len(open_attempts(ledger)) == 1
    finish(ledger, taken, {"a": failure(), "b": DONE})

    row = task(ledger, "a")
    assert (row.state, row.result, row.error, row.epoch, row.progress) == (
        "succeeded",
        {"slept": 1.0},
        None,
        1,
        1.0,
    )
    assert row.created_at <= row.started_at <= row.finished_at
    assert told(ledger, "a") == ["queued", "running", "running", "succeeded"]
    assert told(ledger, "b") == ["queued", "running", "succeeded"]
    assert open_attempts(ledger) == []
    check(ledger.database)


@on_both_databases
def test_a_second_run_of_an_attempt_has_nothing_to_do(ledger: Ledger) -> None:
    taken = started(ledger, "a")

    assert begin(ledger, taken.attempt, "another run") is None
    assert begin_or_resume(ledger, taken.attempt, "another run") is None
    assert begin(ledger, 999, "run") is None
    assert heartbeat(ledger, taken, {}).ended == []


@on_both_databases
def test_a_run_that_begins_again_takes_over_from_its_earlier_process(ledger: Ledger) -> None:
    early = started(ledger, "a", "b")
    finish(ledger, early, {"a": DONE})

    late = begun(ledger, early.attempt)

    assert (late.epoch, [one.id for one in late.tasks], late.events) == (2, ["b"], [])
    for work in (lambda: heartbeat(ledger, early, {"b": 0.9}), lambda: finish(ledger, early, {"b": DONE})):
        with pytest.raises(SupersededError, match="is not this run's any more"):
            work()
    assert (states(ledger)["b"], task(ledger, "b").progress) == ("running", 0.0)
    resumed = begin_or_resume(ledger, early.attempt, "run")
    assert resumed is not None
    assert (resumed.epoch, [one.id for one in resumed.tasks]) == (2, ["b"])
    finish(ledger, late, {"b": DONE})
    assert (task(ledger, "a").epoch, task(ledger, "b").epoch) == (1, 2)


@on_both_databases
def test_what_a_run_does_that_was_taken_for_lost_counts_for_nothing(ledger: Ledger) -> None:
    early = started(ledger, "a")
    close(ledger, early.attempt, LOST)
    pass_time(ledger)
    claim(ledger)
    late = begun(ledger, open_attempts(ledger)[0].id, "the next run")

    with pytest.raises(SupersededError):
        finish(ledger, early, {"a": failure("input")})

    assert late.attempt != early.attempt
    assert [(one.id, one.attempts) for one in late.tasks] == [("a", 2)]
    finish(ledger, late, {"a": DONE})
    assert (task(ledger, "a").state, task(ledger, "a").error) == ("succeeded", None)
    assert close(ledger, early.attempt, LOST) == []


@on_both_databases
def test_a_task_that_is_tried_again_is_no_more_its_attempts(ledger: Ledger) -> None:
    taken = started(ledger, "a", "b")

    finish(ledger, taken, {"a": failure("resource")})
    finish(ledger, taken, {"a": DONE})

    row = task(ledger, "a")
    assert (row.state, row.attempt, row.progress, row.error["source"]) == ("queued", None, None, "resource")
    assert told(ledger, "a") == ["queued", "running", "queued"]


@on_both_databases
def test_one_that_is_cancelled_while_it_waits_never_starts(ledger: Ledger) -> None:
    put(ledger, "waits", "is-claimed")
    assert len(cancel(ledger, "waits")) == 1
    claim(ledger)
    (attempt,) = open_attempts(ledger)
    assert len(cancel(ledger, "is-claimed")) == 1
    assert cancel(ledger, "is-claimed") == []

    taken = begun(ledger, attempt.id)

    assert (taken.tasks, taken.events, open_attempts(ledger)) == ([], [], [])
    assert states(ledger) == {"waits": "cancelled", "is-claimed": "cancelled"}
    assert told(ledger, "waits") == ["queued", "cancelled"]
    with pytest.raises(InputError, match="There is no task 'nobody'"):
        cancel(ledger, "nobody")


@on_both_databases
def test_one_that_is_cancelled_while_it_runs_ends_with_the_next_heartbeat(ledger: Ledger) -> None:
    taken = started(ledger, "a", "b")

    assert cancel(ledger, "a") == []
    assert open_attempts(ledger)[0].wanted == 1
    assert heartbeat(ledger, taken, {"a": 0.7, "b": 0.2}).ended == ["a"]

    finish(ledger, taken, {"a": DONE, "b": DONE})
    assert states(ledger) == {"a": "cancelled", "b": "succeeded"}
    assert task(ledger, "a").error["code"] == "cancelled"
    assert cancel(ledger, "b") == []
    assert states(ledger)["b"] == "succeeded"


@on_both_databases
@pytest.mark.parametrize(("ends", "state"), [("cancel", "cancelled"), ("deadline", "expired")])
@pytest.mark.parametrize("by", ["its own failure", "the loss of its run"])
def test_what_nobody_needs_any_more_is_not_tried_again(ledger: Ledger, ends: str, state: str, by: str) -> None:
    taken = started(ledger, "a", deadline="2090-01-31T12:00:00Z")
    if ends == "cancel":
        cancel(ledger, "a")
    else:
        pass_deadline(ledger, "a")

    if by == "its own failure":
        finish(ledger, taken, {"a": failure("infrastructure")})
    else:
        close(ledger, taken.attempt, LOST)

    assert states(ledger) == {"a": state}
    assert told(ledger, "a") == ["queued", "running", state]


@on_both_databases
def test_a_running_task_that_passes_its_deadline_expires_and_what_was_committed_before_counts(
    ledger: Ledger,
) -> None:
    taken = started(ledger, "a", "b", deadline="2090-01-31T12:00:00Z")
    finish(ledger, taken, {"a": DONE})
    pass_deadline(ledger, "a", "b")

    assert heartbeat(ledger, taken, {}).ended == ["b"]

    assert states(ledger) == {"a": "succeeded", "b": "expired"}
    assert open_attempts(ledger) == []
    with pytest.raises(SupersededError):
        heartbeat(ledger, taken, {})


@on_both_databases
def test_a_run_that_a_person_cancels_takes_its_tasks_along(ledger: Ledger) -> None:
    taken = started(ledger, "a", "b")
    finish(ledger, taken, {"a": DONE})

    assert len(close_cancelled(ledger, taken.attempt)) == 1

    assert states(ledger) == {"a": "succeeded", "b": "cancelled"}
    assert task(ledger, "b").error["message"] == "Its run was cancelled."


@on_both_databases
def test_a_run_of_its_own_that_succeeds_counts_though_somebody_had_cancelled(ledger: Ledger) -> None:
    taken = started(ledger, "train", kind="train_model")
    cancel(ledger, "train")

    close_done(ledger, taken.attempt, {"dataset": "cats"})

    assert states(ledger) == {"train": "succeeded"}
