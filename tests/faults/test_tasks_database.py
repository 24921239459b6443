"""A database that goes away in the middle of everything, without farewell."""

import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.daemons import lone_daemon, run_workers
from tests.faults.outages import Outages, unreliable_postgres
from tests.faults.task_messages import letter, mixture, sleep
from tests.faults.task_platform import Platform
from tests.installation import Installation, wait_for
from tests.rabbitmq import RabbitMQ
from tests.seldom import SELDOM


@pytest.fixture(scope="module")
def outages() -> Iterator[Outages]:
    with unreliable_postgres() as outages:
        yield outages


@pytest.fixture
def platform(outages: Outages, rabbitmq: RabbitMQ, tmp_path: Path) -> Iterator[Platform]:
    platform = Platform(outages.server.new_database(), rabbitmq.new_vhost(), tmp_path)
    platform.prepare()
    yield platform
    platform.end()
    platform.ledger.database.dispose()


@pytest.mark.parametrize(
    "seconds",
    [2, pytest.param(30, marks=SELDOM)],
)
def test_a_database_that_goes_away_costs_time_and_nothing_else(
    platform: Platform, outages: Outages, chance: random.Random, seconds: float
) -> None:
    process = platform.start()
    platform.sender.send([sleep(f"long-{number}", 1 + number / 2) for number in range(6)])
    wait_for(lambda: "running" in platform.states().values())
    for number in range(2 if seconds < 10 else 1):
        platform.sender.send(mixture(chance, 40, f"before-{number}"))
        time.sleep(chance.uniform(0, 1.5))
        outage = threading.Thread(target=outages.outage, args=(seconds,))
        outage.start()
        platform.sender.send(mixture(chance, 40, f"during-{number}"))  # the broker takes them meanwhile
        outage.join()
        platform.witness.check()
    platform.settle()
    platform.check()
    assert process.poll() is None
    assert {row.error["code"] for row in platform.tasks() if row.error} == {"asked_to_fail"}


def test_work_that_was_done_while_the_database_was_away_is_not_done_again(
    platform: Platform, outages: Outages
) -> None:
    platform.start("tick", "sweep")
    platform.start("work")
    platform.sender.send([sleep("short", 0.5), sleep("done-meanwhile", 3)])
    platform.sender.send([letter("other", "fail", {"source": "input"})])
    wait_for(lambda: platform.states().get("done-meanwhile") == "running")
    outages.outage(1)  # less than lost-after
    platform.settle()
    platform.check()
    assert {row.id: (row.state, row.attempts) for row in platform.tasks()} == {
        "short": ("succeeded", 1),
        "done-meanwhile": ("succeeded", 1),
        "other": ("failed", 1),
    }


def test_an_outage_longer_than_a_run_may_be_silent_takes_no_run_for_lost(
    platform: Platform, outages: Outages, installation: Installation
) -> None:
    settings = {"CV_DATABASE_URL": platform.database_url, "CV_RABBITMQ_URL": platform.broker_url}
    installed = Installation(installation.state, {**settings, "CV_LOST_AFTER": "12"})
    with lone_daemon(installed):
        platform.sender.send([sleep("before", 1), sleep("long", 45)])
        wait_for(lambda: platform.states().get("before") == "succeeded")
        (worker,) = run_workers(installed)
        worker.suspend()  # or it might tell that it lives before anybody looks
        outages.outage(20)
        time.sleep(8)
        worker.resume()
        platform.settle()
    platform.check()
    assert {row.id: (row.state, row.attempts) for row in platform.tasks()} == {
        "before": ("succeeded", 1),
        "long": ("succeeded", 1),
    }
