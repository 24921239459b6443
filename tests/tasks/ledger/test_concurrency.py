"""Many at once on one ledger: nobody waits for ever, nothing is written over, and all that is told is true."""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import select

from cv_pipelines.database.task_tables import dead_letters, deliveries, events, tasks
from cv_pipelines.tasks.ledger.cancelling import cancel
from cv_pipelines.tasks.ledger.claims import MOST_RUNS, claim, expire, open_attempts
from cv_pipelines.tasks.ledger.closing import LOST, close, close_cancelled, close_done
from cv_pipelines.tasks.ledger.intake import Letter, receive
from cv_pipelines.tasks.ledger.ledger import Ledger
from cv_pipelines.tasks.ledger.outbox import Delivery, Failure, redeliver, settle, take
from cv_pipelines.tasks.ledger.outcomes import Outcome
from cv_pipelines.tasks.ledger.policy import MOST_ATTEMPTS
from cv_pipelines.tasks.ledger.supervision import begin_or_resume
from cv_pipelines.tasks.ledger.work import SupersededError, begin, finish, heartbeat
from tests.servers import on_both_databases
from tests.tasks.ledger.invariants import Witness, check, lost, unfinished
from tests.tasks.ledger.messages import DONE, HOOK, failure, letter, pass_deadline, pass_time

THREADS = 8
ROUNDS = 12
KINDS = ("sleep", "fail", "classify_images", "train_model")
OUTCOMES: list[Outcome] = [DONE, DONE, DONE, *(failure(source) for source in MOST_ATTEMPTS)]


def several_at_once(work: Callable[[int], list[int]]) -> list[int]:
    """What all threads together have been told; an error of one is the test's."""
    with ThreadPoolExecutor(THREADS) as pool:
        return [number for told in pool.map(work, range(THREADS)) for number in told]


def letters_of(count: int) -> list[Letter]:
    good = [letter(f"task-{number:03}", KINDS[number % 4], reply=HOOK) for number in range(count)]
    return good + [Letter(f"garbage {number}".encode()) for number in range(20)]


def as_a_daemon(ledger: Ledger, some: random.Random) -> list[int]:
    told = expire(ledger)
    claim(ledger)
    for attempt in open_attempts(ledger):
        match some.randrange(8):
            case 0:
                told += close(ledger, attempt.id, LOST)
            case 1:
                told += close_cancelled(ledger, attempt.id)
            case 2 if attempt.kind.together is None:
                told += close_done(ledger, attempt.id, {"dataset": "cats"})
    return told


def as_a_run(ledger: Ledger, some: random.Random, run: str) -> list[int]:
    found = open_attempts(ledger)
    if not found:
        return []
    begun = begin_or_resume(ledger, some.choice(found).id, run)
    if begun is None:
        return []
    told = begun.events
    done = {one.id: some.choice(OUTCOMES) for one in begun.tasks if some.random() < 0.5}
    try:
        told += heartbeat(
            ledger, begun, {one.id: 0.5 for one in some.sample(begun.tasks, len(begun.tasks))}
        ).events
        return told + finish(ledger, begun, done)
    except SupersededError:
        return told


def as_a_courier(ledger: Ledger, some: random.Random) -> None:
    rows = some.sample(taken, len(taken)) if (taken := list(take(ledger, 100))) else []
    calls = [Delivery(row.id, HOOK["webhook"], 200, "", 5) for row in rows]
    settle(ledger, {row.id: dict.fromkeys(row.pending, some.choice([None, Failure("x")])) for row in rows}, calls)
    redeliver(ledger)


@on_both_databases
def test_whoever_does_whatever_at_once_gets_through_and_nothing_is_lost(ledger: Ledger) -> None:
    letters = letters_of(120)
    ids = [str(one.message_id) for one in letters if one.message_id]

    def live(number: int) -> list[int]:
        some, witness, told = random.Random(number), Witness(ledger.database), []
        for _ in range(ROUNDS):
            told += receive(ledger, some.sample(letters, len(letters) // 2)).events
            told += as_a_daemon(ledger, some)
            told += as_a_run(ledger, some, f"run {number % 4}")
            as_a_courier(ledger, some)
            one = some.choice(ids)
            if one in stored(ledger):
                told += cancel(ledger, one) if some.random() < 0.5 else []
            pass_deadline(ledger, some.choice(ids))
            pass_time(ledger, some.choice(ids))
            witness.check()
        return told

    told = several_at_once(live)

    told += receive(ledger, letters).events
    assert lost(ledger.database, letters) == []
    with ledger.database.connect() as connection:
        assert sorted(told) == sorted(connection.scalars(select(events.c.id)))
    end_all(ledger, sum(MOST_ATTEMPTS.values()))
    assert unfinished(ledger.database) == []
    check(ledger.database)


def stored(ledger: Ledger) -> set[str]:
    with ledger.database.connect() as connection:
        return set(connection.scalars(select(tasks.c.id)))


def end_all(ledger: Ledger, rounds: int) -> None:
    """Let a daemon and its runs do everything that is left, without trouble."""
    for _ in range(rounds):
        pass_time(ledger)
        expire(ledger)
        claim(ledger)
        for attempt in open_attempts(ledger):
            begun = begin_or_resume(ledger, attempt.id, attempt.run_id or "the last run")
            if begun and begun.tasks:
                finish(ledger, begun, {one.id: DONE for one in begun.tasks})
            else:
                close(ledger, attempt.id, LOST)


@on_both_databases
def test_lists_with_the_same_messages_in_other_orders_wait_for_each_other_but_not_for_ever(ledger: Ledger) -> None:
    letters = letters_of(400)

    def take_in(number: int) -> list[int]:
        received = receive(ledger, random.Random(number).sample(letters, len(letters)))
        assert len(received.accepted) + received.duplicates == 400
        return received.events

    told = several_at_once(take_in)

    assert len(told) == 400 + THREADS * (len(letters) - 400), "who sends what is refused is told each time"
    with ledger.database.connect() as connection:
        assert sorted(told) == sorted(connection.scalars(select(events.c.id)))
        assert set(connection.scalars(select(dead_letters.c.times))) == {THREADS}
    check(ledger.database)


@on_both_databases
def test_of_many_runs_that_begin_an_attempt_one_gets_it(ledger: Ledger) -> None:
    receive(ledger, [letter(f"task-{number}") for number in range(50)])
    claim(ledger)
    (attempt,) = open_attempts(ledger)
    found = []

    def start(number: int) -> list[int]:
        begun = begin(ledger, attempt.id, f"run {number}")
        found.extend([begun] if begun else [])
        return begun.events if begun else []

    told = several_at_once(start)

    assert len(found) == 1
    assert [len(begun.tasks) for begun in found] == [50]
    assert len(told) == 50


@on_both_databases
def test_many_daemons_make_one_attempt_of_what_goes_together(ledger: Ledger) -> None:
    receive(ledger, [letter(f"task-{number}") for number in range(50)])
    receive(ledger, [letter(f"train-{number}", "train_model") for number in range(30)])

    made = several_at_once(lambda _: [claim(ledger)])

    assert sum(made) == 1 + MOST_RUNS
    check(ledger.database)


@on_both_databases
def test_events_go_to_one_courier_each(ledger: Ledger) -> None:
    receive(ledger, [letter(f"task-{number:03}") for number in range(400)])
    pass_time(ledger)

    taken = several_at_once(lambda _: [row.id for row in take(ledger, 40)])

    assert len(taken) == len(set(taken))
    if ledger.database.dialect.name == "sqlite":
        assert len(taken) == 40 * THREADS


@on_both_databases
def test_couriers_that_have_had_the_same_events_settle_them_together(ledger: Ledger) -> None:
    receive(ledger, [letter(f"task-{number:03}", reply=HOOK) for number in range(100)])
    pass_time(ledger)
    rows = list(take(ledger, 200))

    def answer(number: int) -> list[int]:
        mine = random.Random(number).sample(rows, len(rows))
        for _ in range(3):
            calls = [Delivery(row.id, HOOK["webhook"], 500, "it is dead", 5) for row in mine]
            settle(ledger, {row.id: {"webhook": Failure("it is dead")} for row in mine}, calls)
        return []

    several_at_once(answer)

    with ledger.database.connect() as connection:
        assert {(row.delivery, row.pending[-1]) for row in connection.execute(select(events))} <= {
            ("open", "webhook"),
            ("abandoned", "webhook"),
        }
        assert len(connection.execute(select(deliveries)).all()) == 100 * THREADS * 3
    check(ledger.database)
