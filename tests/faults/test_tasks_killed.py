"""kill -9 of whoever drains, claims, works or tells, at every place where that could lose or double something."""

import random
import signal
import subprocess
import time
from uuid import uuid4

import pytest

from cv_pipelines.failpoints import POINTS
from tests.faults.task_messages import mixture, names
from tests.faults.task_platform import Platform
from tests.installation import PATIENCE


def await_kill(platform: Platform, process: "subprocess.Popen[bytes]", chance: random.Random) -> None:
    """Wait until a process has killed itself, and go on sending meanwhile."""
    deadline = time.monotonic() + PATIENCE
    while process.poll() is None:
        assert time.monotonic() < deadline, platform.output()
        platform.sender.send(mixture(chance, 10, f"more-{uuid4().hex[:8]}"))
        time.sleep(0.2)
    assert process.returncode == -signal.SIGKILL, platform.output()
    platform.witness.check()


ON_THE_WAY = [point for point in POINTS if not point.startswith(("labels.", "motion."))]
"""Of a task; the others have tests of their own."""


@pytest.mark.parametrize("point", ON_THE_WAY)
def test_a_process_killed_anywhere_loses_nothing_and_doubles_nothing(
    platform: Platform, chance: random.Random, point: str
) -> None:
    platform.sender.send(mixture(chance, 20))
    victim = platform.start(fail_at=f"{point}:kill@{chance.randint(1, 2)}")
    await_kill(platform, victim, chance)
    platform.start()
    platform.settle()
    platform.check()
    assert set(platform.states()) == names(platform.sender.confirmed)


def test_processes_killed_one_after_the_other_lose_nothing(platform: Platform, chance: random.Random) -> None:
    for _ in range(5):
        points = [f"{name}:kill@{chance.randint(1, 3)}" for name in chance.sample(ON_THE_WAY, 3)]
        await_kill(platform, platform.start(fail_at=",".join(points)), chance)
    platform.start()
    platform.settle()
    platform.check()
