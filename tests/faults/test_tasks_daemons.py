"""The whole of it, with Dagster's own daemon: two of them at once, and a run whose process is killed."""

import random
import time

import pytest

from tests.faults.daemons import lone_daemon, run_workers
from tests.faults.task_messages import letter, mixture, names, sleep
from tests.faults.task_platform import Platform
from tests.installation import Installation, wait_for
from tests.seldom import SELDOM


@pytest.fixture
def installed(platform: Platform, installation: Installation) -> Installation:
    """An installation that uses the platform's database and broker."""
    extra = {"CV_DATABASE_URL": platform.database_url, "CV_RABBITMQ_URL": platform.broker_url}
    return Installation(installation.state, {**extra, "CV_LOST_AFTER": "20"})


def test_a_killed_run_costs_those_tasks_an_attempt_that_it_had_not_finished(
    platform: Platform, installed: Installation
) -> None:
    with installed.dev():
        platform.sender.send([sleep("before-1"), sleep("before-2", 1.5), sleep("after", 8)])
        wait_for(lambda: platform.states().get("before-2") == "succeeded")
        assert platform.states() == {"before-1": "succeeded", "before-2": "succeeded", "after": "running"}
        (worker,) = run_workers(installed)
        worker.kill()
        platform.settle()
    platform.check()
    assert {row.id: (row.state, row.attempts) for row in platform.tasks()} == {
        "before-1": ("succeeded", 1),
        "before-2": ("succeeded", 1),
        "after": ("succeeded", 2),
    }


@SELDOM
def test_two_daemons_at_once_do_everything_once(
    platform: Platform, installed: Installation, chance: random.Random
) -> None:
    with installed.dev(), lone_daemon(installed) as second:
        log = installed.state / "daemon.log"
        wait_for(lambda: "SensorDaemon" in log.read_text())
        platform.sender.send([letter("crash", "fail", {"source": "crash", "times": 1})])
        for number in range(3):
            platform.sender.send(mixture(chance, 20, f"wave-{number}"))
            time.sleep(chance.uniform(1, 3))
        platform.settle()
        wait_for(lambda: "daemon is still sending heartbeats" in log.read_text())  # they know of each other
        assert second.poll() is None
    platform.check()
    assert set(platform.states()) == names(platform.sender.confirmed)
    slept = {row.attempts for row in platform.tasks() if row.kind == "sleep"}
    assert slept == {1}
