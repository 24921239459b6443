"""Dagster's daemon by itself, and the processes that belong to it."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psutil

from cv_pipelines.settings import ROOT
from tests.installation import Installation


@contextmanager
def lone_daemon(installation: Installation) -> Iterator["subprocess.Popen[bytes]"]:
    """A daemon without UI, also beside another one; Dagster itself says that it does not support two."""
    command = [sys.executable, "-W", "ignore", "-m", "dagster._daemon", "run", "--workspace", "workspace.yaml"]
    with (installation.state / "daemon.log").open("ab") as log:
        process = subprocess.Popen(command, env=installation.environment, cwd=ROOT, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(20)
        process.kill()
        process.wait()


def run_workers(installation: Installation) -> list[psutil.Process]:
    """The processes in which runs execute: the code server starts one for each."""
    return [one for one in processes_of(installation) if "--multiprocessing-fork" in one.cmdline()]


def processes_of(installation: Installation) -> list[psutil.Process]:
    """Everything that is at work on an installation."""
    state = str(installation.state)
    return [one for one in psutil.process_iter() if _state_of(one) == state]


def kill_everything(installation: Installation) -> None:
    """What a machine does to its processes whose power fails."""
    processes = processes_of(installation)
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(processes, 10)


def _state_of(process: psutil.Process) -> str | None:
    try:
        return process.environ().get("CV_STATE")
    except psutil.Error:
        return None
