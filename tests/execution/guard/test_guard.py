"""The guard as a process of its own, over a database that can be taken away."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from sqlalchemy import Engine

from cv_pipelines.database.engine import open_database
from cv_pipelines.execution import leases
from cv_pipelines.settings import ROOT
from tests.faults.outages import Outages, unreliable_postgres
from tests.installation import PATIENCE, wait_for
from tests.servers import Postgres

SLEEP = "import time, sys; print('began', flush=True); time.sleep(60); print('ended')"


class Guarded:
    """A guard at work on an attempt."""

    def __init__(self, url: str, folder: Path, code: str, *options: str, **variables: str) -> None:
        self.database: Engine = open_database(url)
        self.lease = leases.request(self.database, "run", "step", 0, "image", 0, None, 60.0)
        command = [sys.executable, "-m", "cv_pipelines.execution.guard", f"--lease={self.lease}", *options]
        environment = {**os.environ, "CV_DATABASE_URL": url, "CV_NODE": "w1", "CV_STATE": str(folder), **variables}
        self.process = subprocess.Popen(
            [*command, "--", sys.executable, "-c", code],
            env=environment,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    @property
    def now(self) -> leases.Lease:
        return leases.find_leases(self.database, [self.lease])[self.lease]

    def wait_until_it_runs(self) -> psutil.Process:
        """Wait; returns the process that is guarded."""
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "began\n"
        (child,) = psutil.Process(self.process.pid).children()
        return child

    def end(self) -> tuple[int, str]:
        """Its exit code, and what it printed."""
        printed, _ = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, printed


@pytest.fixture
def url(postgres: Postgres) -> str:
    return postgres.new_database()


@pytest.fixture
def outages() -> Iterator[Outages]:
    with unreliable_postgres() as one:
        yield one


def test_what_a_step_prints_and_returns_is_passed_on_and_kept(url: str, tmp_path: Path) -> None:
    guarded = Guarded(url, tmp_path, "for n in range(60): print('line', n)\nraise SystemExit(3)")

    code, printed = guarded.end()

    assert code == 3
    assert printed.splitlines() == [f"line {number}" for number in range(60)]
    assert (guarded.now.state, guarded.now.reason, guarded.now.exit_code) == ("ended", "failed", 3)
    assert guarded.now.log_tail.splitlines() == [f"line {number}" for number in range(10, 60)]
    assert guarded.now.node == "w1"


def test_a_step_sees_no_gpu_but_its_own(url: str, tmp_path: Path) -> None:
    show = "import os, json; print(json.dumps(os.environ.get('CUDA_VISIBLE_DEVICES')))"

    assert json.loads(Guarded(url, tmp_path, show).end()[1]) == ""
    other = Guarded(url, tmp_path, show, "--gpus=2", CV_NODE_GPUS="4")
    assert other.process.wait(30) == 125, "the attempt had begun and ended already"

    with open_database(url).begin() as connection:
        connection.exec_driver_sql("DELETE FROM step_leases")
    assert json.loads(Guarded(url, tmp_path, show, "--gpus=2", CV_NODE_GPUS="4").end()[1]) == "0,1"


def test_fewer_gpus_than_promised_is_an_end_before_the_beginning(url: str, tmp_path: Path) -> None:
    guarded = Guarded(url, tmp_path, "print('never')", "--gpus=2", CV_NODE_GPUS="1")

    code, printed = guarded.end()

    assert code == 137
    assert "never" not in printed
    assert guarded.now.reason == "gpus_differ"
    assert "2 GPUs were promised; w1 shows 1" in guarded.now.log_tail


def test_a_guard_whose_attempt_was_taken_back_does_not_begin(url: str, tmp_path: Path) -> None:
    database = open_database(url)
    leases.revoke(database, leases.request(database, "run", "step", 0, "image", 0, None, 60.0), "cancelled")

    code, printed = Guarded(url, tmp_path, "print('never')").end()

    assert code == 125
    assert "never" not in printed
    assert "it was taken back, or has another" in printed


@pytest.mark.parametrize("how", ["revoked", "stopped", "timeout"])
def test_a_step_is_killed_with_all_that_it_started(url: str, tmp_path: Path, how: str) -> None:
    code = f"import subprocess; subprocess.Popen(['sleep', '60'])\n{SLEEP}"
    options = ["--max-seconds=2"] if how == "timeout" else []
    guarded = Guarded(url, tmp_path, code, "--lease-seconds=3", *options)
    child = guarded.wait_until_it_runs()
    family = [child, *child.children(recursive=True)]
    assert len(family) == 2

    if how == "revoked":
        leases.revoke(guarded.database, guarded.lease, "cancelled")
    if how == "stopped":
        guarded.process.send_signal(signal.SIGTERM)
    code_, printed = guarded.end()

    assert code_ == 137
    assert f"ended by its guard: {how}" in printed
    assert [one for one in family if one.is_running() and one.status() != psutil.STATUS_ZOMBIE] == []
    assert guarded.now.reason == ("cancelled" if how == "revoked" else how)
    assert guarded.now.exit_code == 137


def test_a_short_outage_of_the_database_is_survived(outages: Outages, tmp_path: Path) -> None:
    short = "import time; print('began', flush=True); time.sleep(6)"
    guarded = Guarded(outages.server.new_database(), tmp_path, short, "--lease-seconds=8")
    guarded.wait_until_it_runs()

    outages.outage(2.0)

    assert guarded.end()[0] == 0
    assert guarded.now.reason == "completed"


def test_a_step_is_dead_within_its_lease_when_nobody_can_say_that_it_may_live(
    outages: Outages, tmp_path: Path
) -> None:
    guarded = Guarded(outages.server.new_database(), tmp_path, SLEEP, "--lease-seconds=3")
    child = guarded.wait_until_it_runs()

    outages.stop()
    stopped = time.monotonic()
    wait_for(lambda: not child.is_running(), 3 + leases.KILL_SECONDS)

    assert time.monotonic() - stopped < 3 + leases.KILL_SECONDS
    outages.start()
    guarded.end()


def test_a_frozen_guard_kills_its_step_when_it_wakes(url: str, tmp_path: Path) -> None:
    guarded = Guarded(url, tmp_path, SLEEP, "--lease-seconds=3")
    child = guarded.wait_until_it_runs()
    machine = psutil.Process(guarded.process.pid)

    for process in (machine, child):  # as a machine that sleeps
        process.suspend()
    time.sleep(5)
    leases.revoke(guarded.database, guarded.lease, "lost")
    for process in (child, machine):
        process.resume()

    code, printed = guarded.end()
    assert code == 137
    assert "ended" not in printed.replace("was ended", "")
