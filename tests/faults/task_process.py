"""A process that does what daemon and runs do, without Dagster: `python -m tests.faults.task_process ROLE…`.

Roles, each in a thread: `tick` takes messages, closes what is lost, claims; `work` does attempts; `sweep` tells.
What would fail one tick or one run is printed, and the next one goes on.
"""

import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from uuid import uuid4

from sqlalchemy.exc import OperationalError

from cv_pipelines.broker.publisher import publish
from cv_pipelines.database.clock import time_of
from cv_pipelines.database.engine import open_database
from cv_pipelines.errors import CvError
from cv_pipelines.settings import load_settings
from cv_pipelines.tasks.collection import collect
from cv_pipelines.tasks.delivery import Courier
from cv_pipelines.tasks.ledger.claims import claim, expire, open_attempts
from cv_pipelines.tasks.ledger.closing import LOST, close
from cv_pipelines.tasks.ledger.ledger import Ledger
from cv_pipelines.tasks.ledger.watch import Watch
from cv_pipelines.tasks.running import run_attempt
from cv_pipelines.tasks.webhooks import Answer
from cv_pipelines.tasks.work.exercise import exercise

_PAUSE = 0.1
_MOST_MESSAGES = 20_000
_TAKE_SECONDS = 1.0
_ANNOUNCE_SECONDS = 1.0
_PUBLISH_SECONDS = 5.0
_SWEEP_SECONDS = 3.0
_memory = {"watch": Watch()}
"""What is the sensor's cursor."""


def tick(courier: Courier) -> None:
    """As the sensor `tasks` (sensors/tasks.py), with nobody to ask what became of a run."""
    ledger, settings = courier.ledger, load_settings()
    watch = _memory["watch"].resume(time_of(ledger.database), settings.lost_after / 2)
    told: list[int] = []
    try:
        collected = collect(ledger, settings.rabbitmq_url, _MOST_MESSAGES, _TAKE_SECONDS, settings.most_waiting)
        courier.announce(collected.events)
    except CvError as error:
        print(f"tick: {error}", flush=True)
    told += expire(ledger)
    for attempt in open_attempts(ledger):
        if attempt.begun and min(attempt.silent, watch.last - watch.since) > settings.lost_after:
            told += close(ledger, attempt.id, LOST)
            print(f"lost: attempt {attempt.id}", flush=True)
    claim(ledger)
    courier.announce(told)
    _memory["watch"] = watch.end(time_of(ledger.database))


def work(courier: Courier) -> None:
    """As the run of each attempt that nobody has begun."""
    ledger, lost_after = courier.ledger, load_settings().lost_after
    for attempt in open_attempts(ledger):
        if not attempt.begun:
            summary = run_attempt(ledger, attempt.id, uuid4().hex, exercise, courier.announce, lost_after)
            print(f"attempt {attempt.id}: {summary}", flush=True)


def sweep(courier: Courier) -> None:
    """As the sensor `task_events`."""
    courier.sweep(_SWEEP_SECONDS)


ROLES: dict[str, Callable[[Courier], None]] = {"tick": tick, "work": work, "sweep": sweep}


def _for_ever(name: str, courier: Courier) -> None:
    while True:
        try:
            ROLES[name](courier)
        except (CvError, OperationalError) as error:
            print(f"{name}: {type(error).__name__}: {error}".splitlines()[0], flush=True)
        time.sleep(_PAUSE)


def main() -> None:
    """Play the roles that the command line names until somebody ends the process."""
    settings = load_settings()
    ledger = Ledger(open_database(settings.database), has_broker=True)
    print("ready", flush=True)
    for name in sys.argv[1:]:
        seconds = _PUBLISH_SECONDS if name == "sweep" else _ANNOUNCE_SECONDS
        courier = Courier(ledger, partial(publish, settings.rabbitmq_url, seconds=seconds), _no_webhooks)
        threading.Thread(target=_for_ever, args=(name, courier)).start()


def _no_webhooks(url: str, body: bytes, *, headers: object) -> Answer:
    return Answer(None, "these tests have no webhooks", 0)


if __name__ == "__main__":
    main()
