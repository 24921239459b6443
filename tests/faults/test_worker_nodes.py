"""Machines and processes that fail under a step on worker nodes: it is done again elsewhere, or goes on, once."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from dagster import DagsterRunStatus

from cv_pipelines.execution.leases import leases_of, lost_after
from tests.execution.worker_nodes import LEASE, WorkerNodes, run_platform
from tests.faults.outages import Outages
from tests.installation import PATIENCE, wait_for
from tests.swarm import run_swarm

AGAIN_SECONDS = lost_after(LEASE) + 30


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorkerNodes]:
    """A platform whose nodes these tests break."""
    folder = tmp_path_factory.mktemp("platform")
    for parent in folder.parents[:2]:
        Path(parent).chmod(0o755)
    with run_swarm() as swarm, run_platform(swarm, folder) as one:
        yield one


def begin(platform: WorkerNodes, seconds: float) -> tuple[str, str]:
    """Start a run with one GPU step; returns the run's id and the node that its step runs on."""
    run_id = platform.launch("one_gpu", {"cv_test/seconds": str(seconds)})
    return run_id, platform.wait_for_mark(run_id, "learn", "began")[2]


def began_again(platform: WorkerNodes, run_id: str) -> Callable[[], bool]:
    return lambda: any(mark[1] == "1" for mark in platform.marks(run_id))


def assert_done_once_elsewhere(platform: WorkerNodes, run_id: str, lost: str) -> None:
    other = {"w1": "w2", "w2": "w1"}[lost]
    assert platform.wait(run_id).status == DagsterRunStatus.SUCCESS
    ends = [mark for mark in platform.marks(run_id) if mark[4] == "ended"]
    assert [mark[1:3] for mark in ends] == [["1", other]]
    assert {(one.attempt, one.reason) for one in leases_of(platform.database, run_id).values()} == {
        (0, "lost"),
        (1, "completed"),
    }


def test_a_node_that_loses_its_power_costs_its_step_one_attempt(platform: WorkerNodes) -> None:
    run_id, node = begin(platform, 15)

    platform.swarm.kill(node)
    began = time.monotonic()
    wait_for(began_again(platform, run_id), AGAIN_SECONDS)

    assert lost_after(LEASE) - LEASE < time.monotonic() - began < AGAIN_SECONDS
    platform.swarm.start(node)
    assert_done_once_elsewhere(platform, run_id, node)
    wait_for(lambda: platform.swarm.is_ready(node))


def test_a_step_behind_a_cut_is_dead_before_it_is_tried_elsewhere_and_stays_so(platform: WorkerNodes) -> None:
    run_id, node = begin(platform, 25)
    steps = [one for one in platform.swarm.processes(node) if "execute_step" in command_of(one)]
    assert steps

    platform.swarm.cut(node)
    wait_for(began_again(platform, run_id), AGAIN_SECONDS)
    assert [one for one in steps if psutil.pid_exists(one)] == []
    platform.swarm.heal(node)

    assert_done_once_elsewhere(platform, run_id, node)
    wait_for(lambda: platform.swarm.is_ready(node))


def test_a_killed_run_worker_finds_its_step_again(platform: WorkerNodes) -> None:
    run_id, node = begin(platform, 20)

    platform.kill_worker(run_id)
    platform.resume(run_id)

    assert platform.wait(run_id).status == DagsterRunStatus.SUCCESS
    assert [mark[1:3] for mark in platform.marks(run_id) if mark[4] == "ended"] == [["0", node]]
    assert platform.leftovers() == []


def test_a_manager_that_restarts_changes_nothing(platform: WorkerNodes) -> None:
    run_id, node = begin(platform, 15)

    platform.swarm.restart_daemon("mgr")

    assert platform.wait(run_id).status == DagsterRunStatus.SUCCESS
    assert [mark[1:3] for mark in platform.marks(run_id) if mark[4] == "ended"] == [["0", node]]


def test_a_database_that_restarts_changes_nothing(platform: WorkerNodes) -> None:
    run_id, node = begin(platform, 8)

    outages = Outages(platform.postgres)
    outages.outage(2.0)

    assert platform.wait(run_id).status == DagsterRunStatus.SUCCESS
    assert [mark[1:3] for mark in platform.marks(run_id) if mark[4] == "ended"] == [["0", node]]


def test_a_guard_that_is_killed_takes_its_step_with_it(platform: WorkerNodes) -> None:
    run_id, node = begin(platform, 30)
    is_guard = "python -m cv_pipelines.execution.guard --"
    (guard,) = [one for one in platform.swarm.processes(node) if command_of(one).startswith(is_guard)]

    psutil.Process(guard).kill()
    wait_for(began_again(platform, run_id), AGAIN_SECONDS)

    (end,) = [one for one in platform.facts(run_id) if one.get("reason") == "container_gone"]
    assert "printed by learn" in str(end["last_lines"]), "its guard could not say so"
    platform.cancel(run_id)
    assert [mark for mark in platform.marks(run_id) if mark[4] == "ended"] == []


def test_the_janitor_ends_what_a_killed_run_has_left(platform: WorkerNodes) -> None:
    run_id, _ = begin(platform, 2 * PATIENCE)
    platform.kill_worker(run_id)
    with platform.instance() as instance:
        run = instance.get_run_by_id(run_id)
        assert run is not None
        instance.report_run_canceled(run)

    swept = platform.janitor()

    assert swept["revoked"] == 1
    assert list(swept["removed"].values()) == ["its run has ended, or is being cancelled"]
    wait_for(lambda: platform.guards(run_id) == [])
    assert platform.leftovers() == []
    assert platform.janitor() is None


def command_of(process: int) -> str:
    try:
        return " ".join(psutil.Process(process).cmdline())
    except psutil.Error:
        return ""
