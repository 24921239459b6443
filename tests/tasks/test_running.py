"""A run at work on an attempt: what it commits, when it stops, what it says meanwhile."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from cv_pipelines.database.engine import open_database
from cv_pipelines.errors import InfrastructureError, InputError
from cv_pipelines.tasks import running
from cv_pipelines.tasks.ledger.cancelling import cancel
from cv_pipelines.tasks.ledger.claims import claim, open_attempts
from cv_pipelines.tasks.ledger.closing import LOST, close
from cv_pipelines.tasks.ledger.intake import Letter, receive
from cv_pipelines.tasks.ledger.ledger import Ledger
from cv_pipelines.tasks.ledger.outcomes import Done, Outcome
from cv_pipelines.tasks.ledger.queries import events_of, find_task
from cv_pipelines.tasks.ledger.work import SupersededError, Task, finish
from cv_pipelines.tasks.running import Control, Summary, run_attempt
from tests.servers import on_both_databases

Submitted = Callable[[int], int]
QUICK = 0.6
"""Lost after so many seconds: a heartbeat every 50 ms."""


@pytest.fixture
def ledger(database_url: str) -> Ledger:
    return Ledger(open_database(database_url), has_broker=True)


@pytest.fixture
def attempt_of(ledger: Ledger) -> Submitted:
    """`attempt_of(count)`: so many tasks `sleep-0`, …, claimed; the number of their attempt."""

    def make(count: int) -> int:
        body = '{{"schema": "cv.task/v1", "task_id": "sleep-{}", "kind": "sleep", "params": {{"seconds": 1.0}}}}'
        receive(ledger, [Letter(body.format(number).encode()) for number in range(count)])
        claim(ledger)
        return open_attempts(ledger)[-1].id

    return make


def silent(_: Sequence[int]) -> None:
    return None


def each(outcome: Callable[[Task], Outcome]) -> running.Work:
    """Work that gives each task an outcome."""

    def work(tasks: Sequence[Task], _: Control) -> Iterator[tuple[str, Outcome]]:
        return ((task.id, outcome(task)) for task in tasks)

    return work


@on_both_databases
def test_outcomes_are_committed_and_told(ledger: Ledger, attempt_of: Submitted) -> None:
    told: list[int] = []
    attempt = attempt_of(3)

    summary = run_attempt(ledger, attempt, "run", each(lambda task: Done({"of": task.id})), told.extend, QUICK)

    assert summary == Summary(tasks=3, succeeded=3, failed=0)
    assert find_task(ledger, "sleep-1").result == {"of": "sleep-1"}
    assert [event.state for event in events_of(ledger, "sleep-1")] == ["queued", "running", "succeeded"]
    assert len(told) == 6, "beginning and end of each"
    assert open_attempts(ledger) == []


def test_what_is_done_is_committed_while_the_rest_goes_on(
    ledger: Ledger, attempt_of: Submitted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "COMMIT_SECONDS", 0.05)

    def work(tasks: Sequence[Task], _: Control) -> Iterator[tuple[str, Outcome]]:
        yield "sleep-0", Done({})
        ends = time.monotonic() + 5
        while find_task(ledger, "sleep-0").state == "running" and time.monotonic() < ends:
            time.sleep(0.01)
        assert [find_task(ledger, task.id).state for task in tasks] == ["succeeded", "running", "running"]
        yield from [("sleep-1", Done({})), ("sleep-2", Done({}))]

    run_attempt(ledger, attempt_of(3), "run", work, silent, QUICK)


def test_an_error_of_the_work_is_that_of_every_task_left(ledger: Ledger, attempt_of: Submitted) -> None:
    def work(tasks: Sequence[Task], _: Control) -> Iterator[tuple[str, Outcome]]:
        yield tasks[0].id, Done({})
        raise InfrastructureError("gone", "The server is gone.")

    with pytest.raises(InfrastructureError):
        run_attempt(ledger, attempt_of(2), "run", work, silent, QUICK)

    assert find_task(ledger, "sleep-0").state == "succeeded"
    other = find_task(ledger, "sleep-1")
    assert (other.state, other.attempts, other.error["code"]) == ("queued", 1, "gone")


def test_a_mistake_of_the_callers_fails_their_tasks_and_not_the_run(ledger: Ledger, attempt_of: Submitted) -> None:
    def work(tasks: Sequence[Task], _: Control) -> Iterator[tuple[str, Outcome]]:
        yield tasks[0].id, Done({})
        raise InputError("no_dataset", "There is no such data set.")

    summary = run_attempt(ledger, attempt_of(3), "run", work, silent, QUICK)

    assert summary == Summary(tasks=3, succeeded=1, failed=2)
    assert find_task(ledger, "sleep-2").error["code"] == "no_dataset"


def test_a_second_run_of_an_attempt_does_nothing(ledger: Ledger, attempt_of: Submitted) -> None:
    attempt = attempt_of(1)
    seen: list[Summary | None] = []

    def work(tasks: Sequence[Task], _: Control) -> Iterator[tuple[str, Outcome]]:
        seen.append(run_attempt(ledger, attempt, "another run", each(lambda _: Done({})), silent, QUICK))
        yield tasks[0].id, Done({"by": "the first"})

    run_attempt(ledger, attempt, "run", work, silent, QUICK)
    seen.append(run_attempt(ledger, attempt, "run", each(lambda _: Done({})), silent, QUICK))

    assert seen == [None, None]
    assert find_task(ledger, "sleep-0").result == {"by": "the first"}


def test_a_run_that_was_taken_for_lost_commits_nothing_any_more(ledger: Ledger, attempt_of: Submitted) -> None:
    attempt = attempt_of(2)
    control: list[Control] = []

    def work(tasks: Sequence[Task], given: Control) -> Iterator[tuple[str, Outcome]]:
        control.append(given)
        close(ledger, attempt, LOST)
        assert given.superseded.wait(5), "the next heartbeat notices"
        yield tasks[0].id, Done({"late": True})

    with pytest.raises(SupersededError):
        run_attempt(ledger, attempt, "run", work, silent, QUICK)

    assert not control[0].is_wanted("sleep-0")
    task = find_task(ledger, "sleep-0")
    assert (task.state, task.result, task.error["code"]) == ("queued", None, "lost")


def test_a_cancelled_task_ends_at_the_next_heartbeat_and_its_neighbour_goes_on(
    ledger: Ledger, attempt_of: Submitted
) -> None:
    def work(tasks: Sequence[Task], control: Control) -> Iterator[tuple[str, Outcome]]:
        cancel(ledger, "sleep-0")
        ends = time.monotonic() + 5
        while control.is_wanted("sleep-0") and time.monotonic() < ends:
            time.sleep(0.01)
        yield "sleep-0", Done({"too": "late"})
        yield "sleep-1", Done({})

    run_attempt(ledger, attempt_of(2), "run", work, silent, QUICK)

    assert find_task(ledger, "sleep-0").state == "cancelled"
    assert find_task(ledger, "sleep-0").result is None
    assert find_task(ledger, "sleep-1").state == "succeeded"


def test_progress_is_told_once_each_time_it_changes(ledger: Ledger, attempt_of: Submitted) -> None:
    def work(tasks: Sequence[Task], control: Control) -> Iterator[tuple[str, Outcome]]:
        for share in (0.25, 0.5):
            control.progress["sleep-0"] = share
            time.sleep(0.3)
        yield "sleep-0", Done({})

    run_attempt(ledger, attempt_of(1), "run", work, silent, QUICK)

    told = [(event.number, event.state, event.progress) for event in events_of(ledger, "sleep-0")]
    states = ["queued", "running", "running", "running", "succeeded"]
    assert told == list(zip(range(1, 6), states, [None, 0.0, 0.25, 0.5, 1.0], strict=True))


def test_a_commit_waits_for_a_database_that_is_away(
    ledger: Ledger, attempt_of: Submitted, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = iter([True, True])

    def flaky(*given: Any) -> list[int]:
        if next(failures, False):
            raise OperationalError("UPDATE", {}, Exception("server closed the connection"))
        return finish(*given)

    monkeypatch.setattr(running, "finish", flaky)

    run_attempt(ledger, attempt_of(1), "run", each(lambda _: Done({})), silent, QUICK)

    assert find_task(ledger, "sleep-0").state == "succeeded"


def test_no_heartbeat_is_left_behind(ledger: Ledger, attempt_of: Submitted) -> None:
    run_attempt(ledger, attempt_of(1), "run", each(lambda _: Done({})), silent, QUICK)

    assert "heartbeat" not in {thread.name for thread in threading.enumerate()}


def set_deadline(engine: Engine, task: str, seconds: int) -> None:
    with engine.begin() as connection:
        moment = f"strftime('%Y-%m-%d %H:%M:%f000', 'now', '{seconds} seconds')"
        connection.execute(text(f"UPDATE tasks SET deadline = {moment} WHERE id = '{task}'"))  # noqa: S608


def test_a_task_past_its_deadline_is_not_begun(ledger: Ledger, attempt_of: Submitted) -> None:
    attempt = attempt_of(2)
    set_deadline(ledger.database, "sleep-0", -1)
    worked: list[str] = []

    def note(task: Task) -> Outcome:
        worked.append(task.id)
        return Done({})

    run_attempt(ledger, attempt, "run", each(note), silent, QUICK)

    assert worked == ["sleep-1"]
    assert find_task(ledger, "sleep-0").state == "expired"
