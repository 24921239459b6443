"""kill -9 of the daemon in the middle of a tick, at each place that Dagster itself tests; on a real instance."""

import json
import subprocess
import sys

from cv_pipelines.settings import ROOT
from tests.faults.task_messages import sleep
from tests.faults.task_platform import Platform
from tests.installation import PATIENCE
from tests.seldom import SELDOM

# dagster/_daemon/sensor.py, check_for_debug_crash
FLAGS = [
    "TICK_CREATED",
    "TICK_HELD",
    "AUTOMATION_EVALUATIONS_ADDED",
    "RUN_IDS_RESERVED",
    "RUN_CREATED",
    "RUN_LAUNCHED",
    "RUN_IDS_ADDED_TO_EVALUATIONS",
]


@SELDOM
def test_a_daemon_that_dies_in_a_tick_leaves_one_run_for_each_attempt(platform: Platform) -> None:
    flags = [*FLAGS, "RUN_CREATED,forgotten"]
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.faults.crashing_daemon", *flags],
        env={**platform.environment, "DAGSTER_HOME": str(ROOT)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr[-5000:]
    assert json.loads(done.stdout.splitlines()[-1]) == [[n + 1, "SUCCESS"] for n in range(len(flags))]

    platform.sender.confirmed = [sleep(f"crash-{number}") for number in range(len(flags))]
    platform.start("sweep")
    platform.settle()
    platform.check()
    assert {(row.state, row.attempts) for row in platform.tasks()} == {("succeeded", 1)}
