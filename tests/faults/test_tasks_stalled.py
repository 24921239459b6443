"""A run that falls silent for longer than lost-after, and then goes on as if nothing had happened."""

import signal

import psutil
import pytest

from tests.faults.task_messages import sleep
from tests.faults.task_platform import Platform
from tests.installation import wait_for

PLACES = ["begin.committed", "finish.before_commit", "finish.committed"]


def is_stopped(process: int) -> bool:
    return psutil.Process(process).status() == psutil.STATUS_STOPPED


@pytest.mark.parametrize("point", PLACES)
def test_a_run_that_stalls_is_replaced_and_changes_nothing_when_it_goes_on(platform: Platform, point: str) -> None:
    platform.start("tick", "sweep")
    stalled = platform.start("work", fail_at=f"{point}:stop")
    platform.sender.send([sleep("at-once"), sleep("soon", 1.2), sleep("later", 2.5)])
    wait_for(lambda: is_stopped(stalled.pid))
    platform.witness.check()

    platform.start("work")
    platform.settle()
    before = platform.tasks()
    stalled.send_signal(signal.SIGCONT)
    wait_for(lambda: "SupersededError" in platform.output())

    assert platform.tasks() == before
    assert platform.states() == {"at-once": "succeeded", "soon": "succeeded", "later": "succeeded"}
    assert "lost: attempt" in platform.output()
    platform.check()
