"""Which runs are lost: those whose process is gone, and no others."""

import json
import multiprocessing
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from dagster import DagsterEvent, DagsterEventType, DagsterInstance, DagsterRun, DagsterRunStatus, EventLogEntry
from dagster._core.events import EngineEventData
from dagster._core.launcher import WorkerStatus
from dagster._core.storage.tags import GRPC_INFO_TAG
from dagster._core.test_utils import create_run_for_test

from cv_pipelines.orchestration.local_run_launcher import LocalRunLauncher
from cv_pipelines.orchestration.lost_runs import LAUNCHED, PROCESS, end_lost_runs, is_lost, name_of

RUN = "11111111-1111-1111-1111-111111111111"
OTHER = "22222222-2222-2222-2222-222222222222"


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[DagsterInstance]:
    with DagsterInstance.local_temp(str(tmp_path)) as instance:
        yield instance


@pytest.fixture
def process() -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield process
    process.kill()
    process.wait()


def launched(
    instance: DagsterInstance, tag: str, server: dict[str, object], status: DagsterRunStatus
) -> DagsterRun:
    """A run that a code server executes."""
    return create_run_for_test(
        instance, run_id=RUN, status=status, tags={LAUNCHED: tag, GRPC_INFO_TAG: json.dumps(server)}
    )


def started(instance: DagsterInstance, pid: int, at: float | None = None, server: str = "/nowhere") -> DagsterRun:
    """One whose worker has told its process id."""
    run = launched(instance, name_of(RUN), {"socket": server}, DagsterRunStatus.STARTED)
    tell(instance, run, EngineEventData())
    tell(instance, run, EngineEventData.in_process(pid), at)
    tell(instance, run, EngineEventData.in_process(1))  # of a step
    return run


def tell(instance: DagsterInstance, run: DagsterRun, data: EngineEventData, at: float | None = None) -> None:
    event = DagsterEvent(DagsterEventType.ENGINE_EVENT.value, run.job_name, event_specific_data=data)
    time_of_it = time.time() if at is None else at
    entry = EventLogEntry(None, 10, "", run.run_id, time_of_it, job_name=run.job_name, dagster_event=event)
    instance.handle_new_event(entry)


def test_a_run_is_lost_with_its_worker_and_not_with_its_server(
    instance: DagsterInstance, process: "subprocess.Popen[bytes]"
) -> None:
    run = started(instance, process.pid)
    assert not is_lost(instance, run)
    process.kill()
    while psutil.Process(process.pid).status() != psutil.STATUS_ZOMBIE:  # nobody has fetched its status yet
        time.sleep(0.01)
    assert is_lost(instance, run)
    process.wait()
    assert is_lost(instance, run)
    assert end_lost_runs(instance) == [RUN]
    assert [one.status for one in instance.get_runs()] == [DagsterRunStatus.FAILURE]
    assert end_lost_runs(instance) == []


def test_a_later_process_of_the_same_id_is_another_one(instance: DagsterInstance) -> None:
    ours = psutil.Process()
    run = started(instance, ours.pid, at=ours.create_time() - 60)

    assert is_lost(instance, run)


def test_a_worker_that_has_not_told_its_id_is_judged_by_its_server(
    instance: DagsterInstance, tmp_path: Path
) -> None:
    address = str(tmp_path / "server")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(address)
        server.listen()
        run = launched(instance, name_of(RUN), {"socket": address}, DagsterRunStatus.STARTING)
        assert not is_lost(instance, run)
    assert is_lost(instance, run)


@pytest.mark.parametrize(
    ("tag", "server"),
    [
        (f"{RUN}:another-host", {"socket": "/nowhere"}),
        (name_of(OTHER), {"socket": "/nowhere"}),
        (name_of(RUN), {"host": "code-server", "port": 4000}),
    ],
    ids=["another host", "copied from the run that this one repeats", "a server elsewhere"],
)
def test_of_processes_elsewhere_nothing_is_known(
    instance: DagsterInstance, tag: str, server: dict[str, object]
) -> None:
    launched(instance, tag, server, DagsterRunStatus.STARTED)

    assert end_lost_runs(instance) == []


def test_a_run_of_a_command_is_lost_with_the_command(
    instance: DagsterInstance, process: "subprocess.Popen[bytes]"
) -> None:
    tag = name_of(RUN, psutil.Process(process.pid))
    run = create_run_for_test(instance, run_id=RUN, status=DagsterRunStatus.STARTED, tags={PROCESS: tag})
    copy = create_run_for_test(instance, run_id=OTHER, status=DagsterRunStatus.STARTED, tags={PROCESS: tag})
    assert not is_lost(instance, run)

    process.kill()
    process.wait()

    assert is_lost(instance, run)
    assert not is_lost(instance, copy)


def test_the_launcher_tells_the_daemon(instance: DagsterInstance) -> None:
    launcher = LocalRunLauncher()
    launcher.register_instance(instance)
    worker = multiprocessing.get_context("spawn").Process(target=time.sleep, args=(60,))
    worker.start()
    run = started(instance, worker.pid or 0)

    alive = launcher.check_run_worker_health(run).status
    worker.kill()
    worker.join()

    assert launcher.supports_check_run_worker_health
    assert (alive, launcher.check_run_worker_health(run).status) == (WorkerStatus.RUNNING, WorkerStatus.NOT_FOUND)
