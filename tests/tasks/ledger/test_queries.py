"""Looking at tasks, and forgetting them."""

import pytest
from sqlalchemy import Table, func, select, update

from cv_pipelines.database.clock import from_now
from cv_pipelines.database.task_tables import attempts, dead_letters, deliveries, events, tasks
from cv_pipelines.errors import InputError
from cv_pipelines.tasks.ledger.cancelling import cancel
from cv_pipelines.tasks.ledger.claims import claim, open_attempts
from cv_pipelines.tasks.ledger.dead_letters import drop, list_letters
from cv_pipelines.tasks.ledger.intake import Letter, receive
from cv_pipelines.tasks.ledger.ledger import Ledger
from cv_pipelines.tasks.ledger.outbox import Answers, Delivery, settle
from cv_pipelines.tasks.ledger.queries import events_of, find_task, list_tasks, waiting
from cv_pipelines.tasks.ledger.retention import prune
from cv_pipelines.tasks.ledger.work import finish
from tests.servers import on_both_databases
from tests.tasks.ledger.messages import DONE, HOOK, begun, put

DAY = 86400.0


def came(ledger: Ledger, seconds: float, *names: str) -> None:
    """Let tasks have come so many seconds ago, all at one moment."""
    with ledger.database.begin() as connection:
        moment = connection.scalars(select(from_now(-seconds))).one()
        connection.execute(update(tasks).where(tasks.c.id.in_(names)).values(created_at=moment))


def count(ledger: Ledger, table: Table) -> int:
    with ledger.database.connect() as connection:
        return connection.scalars(select(func.count()).select_from(table)).one()


@on_both_databases
@pytest.mark.parametrize("limit", [1, 3, 7, 100])
def test_pages_show_each_task_once_newest_first_also_those_of_one_moment(ledger: Ledger, limit: int) -> None:
    names = [f"task-{number:02}" for number in range(21)]
    put(ledger, *names)
    for start in range(0, 21, 7):
        came(ledger, 1000.0 - start, *names[start : start + 7])

    seen, after = [], None
    while True:
        page = list_tasks(ledger, after=after, limit=limit)
        seen += [row.id for row in page.rows]
        after = page.after
        if after is None:
            break

    assert seen == names[::-1]
    with pytest.raises(InputError, match="There is no task 'nobody'"):
        list_tasks(ledger, after="nobody")


@on_both_databases
def test_tasks_are_listed_by_state_kind_and_age(ledger: Ledger) -> None:
    put(ledger, "nap", "old-nap")
    put(ledger, "train", "old-train", kind="train_model")
    came(ledger, 3 * DAY, "old-nap", "old-train")
    cancel(ledger, "old-train")
    cancel(ledger, "nap")

    def found(**filters: object) -> list[str]:
        return sorted(row.id for row in list_tasks(ledger, **filters).rows)  # type: ignore[arg-type]

    assert found(state="cancelled") == ["nap", "old-train"]
    assert found(kind="train_model") == ["old-train", "train"]
    assert found(older=DAY) == ["old-nap", "old-train"]
    assert found(newer=DAY) == ["nap", "train"]
    assert found(newer=4 * DAY, older=2 * DAY, kind="sleep") == ["old-nap"]
    assert found(state="queued", kind="train_model", newer=DAY) == ["train"]
    assert found(state="failed") == []
    assert list_tasks(ledger, state="cancelled", limit=1).after == "nap"


@on_both_databases
def test_a_task_tells_of_its_run_and_its_events(ledger: Ledger) -> None:
    put(ledger, "a")
    claim(ledger)
    begun(ledger, open_attempts(ledger)[0].id, "the run")

    assert find_task(ledger, "a").run_id == "the run"
    assert [(row.number, row.state) for row in events_of(ledger, "a")] == [(1, "queued"), (2, "running")]
    with pytest.raises(InputError, match="'nobody'"):
        events_of(ledger, "nobody")


@on_both_databases
def test_what_waits_is_counted_up_to_a_bound(ledger: Ledger) -> None:
    put(ledger, "a", "b", "c")
    cancel(ledger, "c")

    assert [waiting(ledger, most) for most in (1, 2, 3, 100)] == [1, 2, 2, 2]


@on_both_databases
def test_what_ended_long_ago_is_forgotten_with_all_that_belongs_to_it(ledger: Ledger) -> None:
    numbers = put(ledger, "done", "works", "new", reply=HOOK).events
    numbers += receive(ledger, [Letter(b"?"), Letter(b"!")]).events
    drop(ledger, list_letters(ledger)[0].id)
    claim(ledger)
    taken = begun(ledger, open_attempts(ledger)[0].id)
    numbers += taken.events + finish(ledger, taken, {"done": DONE, "new": DONE})
    everybody: Answers = dict.fromkeys(("exchange", "webhook"))
    settle(ledger, dict.fromkeys(numbers, everybody), [Delivery(numbers[0], "https://8.8.8.8/", 200, "", 1)])
    with ledger.database.begin() as connection:
        old = from_now(-40 * DAY)
        connection.execute(update(tasks).where(tasks.c.id == "done").values(finished_at=old))
        connection.execute(
            update(dead_letters).where(dead_letters.c.decided_at.is_not(None)).values(decided_at=old)
        )
        connection.execute(update(events).where(events.c.task_id == "works").values(created_at=old))

    gone = prune(ledger, task_days=30, event_days=7)

    assert gone == {"events": 2, "tasks": 1, "attempts": 0, "dead_letters": 1}
    assert sorted(row.id for row in list_tasks(ledger).rows) == ["new", "works"]
    assert (count(ledger, deliveries), count(ledger, events), count(ledger, dead_letters)) == (0, 4, 1)
    assert prune(ledger, 30, 7) == {"events": 0, "tasks": 0, "attempts": 0, "dead_letters": 0}


@on_both_databases
def test_nothing_is_forgotten_of_which_somebody_has_still_to_be_told(ledger: Ledger) -> None:
    told = put(ledger, "a").events + cancel(ledger, "a")
    settle(ledger, {told[0]: {"exchange": None}})

    assert prune(ledger, 0, 0) == {"events": 1, "tasks": 0, "attempts": 0, "dead_letters": 0}

    settle(ledger, {told[1]: {"exchange": None}})
    assert prune(ledger, 0, 30)["tasks"] == 1
    assert count(ledger, events) == 0


@on_both_databases
def test_attempts_are_forgotten_after_their_last_task(ledger: Ledger) -> None:
    alone = Ledger(ledger.database)
    put(alone, "a")
    claim(alone)
    finish(alone, begun(alone, open_attempts(alone)[0].id), {"a": DONE})

    assert prune(alone, 0, 30, most=1) == {"events": 0, "tasks": 1, "attempts": 1, "dead_letters": 0}
    assert count(ledger, attempts) == 0
