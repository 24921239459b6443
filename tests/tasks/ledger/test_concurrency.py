"""Many at once on one ledger: nobody waits for ever, nothing is written over, and all that is told is true."""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from cv_pipelines.database.task_tables import attempts, events, tasks
from cv_pipelines.tasks.ledger.cancelling import cancel
from cv_pipelines.tasks.ledger.claims import claim, expire, open_attempts
from cv_pipelines.tasks.ledger.closing import LOST, close, close_cancelled, close_done
from cv_pipelines.tasks.ledger.intake import Letter, receive
from cv_pipelines.tasks.ledger.ledger import Ledger
from cv_pipelines.tasks.ledger.outbox import Delivery, Failure, redeliver, settle, take
from cv_pipelines.tasks.ledger.policy import MOST_ATTEMPTS
from cv_pipelines.tasks.ledger.retention import prune
from cv_pipelines.tasks.ledger.supervision import begin_or_resume
from cv_pipelines.tasks.ledger.work import SupersededError, finish, heartbeat
from tests.servers import on_both_databases
from tests.tasks.ledger.invariants import Witness, lost, unfinished
from tests.tasks.ledger.messages import DONE, HOOK, failure, letter, pass_deadline, pass_time

THREADS = 8
ROUNDS = 12
KINDS = ("sleep", "fail", "classify_images", "train_model")
OUTCOMES = [DONE, DONE, DONE, *(failure(source) for source in MOST_ATTEMPTS)]


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
        told += heartbeat(ledger, begun, {one.id: 0.5 for one in some.sample(begun.tasks, len(begun.tasks))}).events
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
    witness = Witness(ledger.database)

    def live(number: int) -> list[int]:
        some, told = random.Random(number), []
        for _ in range(ROUNDS):
            told += receive(ledger, some.sample(letters, len(letters) // 2)).events
            told += as_a_daemon(ledger, some)
            told += as_a_run(ledger, some, f"run {number % 4}")
            told += cancel(ledger, some.choice(ids)) if some.random() < 0.3 and number else []
            as_a_courier(ledger, some)
            pass_deadline(ledger, some.choice(ids))
            witness_of_its_own.check()
        return told

    witness_of_its_own = Witness(ledger.database)
    receive(ledger, letters)
    told = several_at_once(live)
    witness.check()
    assert told
"""unfinished"""
