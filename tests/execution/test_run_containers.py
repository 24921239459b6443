"""Worker nodes as in production: runs in containers beside the daemon, their steps in containers on the nodes."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import yaml
from dagster import DagsterRunStatus
from dagster._core.definitions.reconstruct import ReconstructableJob
from dagster._core.remote_origin import InProcessCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin

from cv_pipelines.settings import ROOT
from tests.execution.step_facts import leases
from tests.execution.worker_nodes import CANCEL_SECONDS, JOBS, WorkerNodes
from tests.installation import wait_for

IMAGE = "cv-test-host:1"


@dataclass
class Production:
    """A platform with a daemon, and the instance of deploy/dagster.yaml, which looks more often after its runs."""

    nodes: WorkerNodes
    daemons: "list[subprocess.Popen[bytes]]" = field(default_factory=list)

    def start_daemon(self) -> None:
        command = [sys.executable, "-W", "ignore", "-m", "dagster._daemon", "run", "--empty-workspace"]
        with (self.nodes.folder / "daemon.log").open("ab") as log:
            environment = self.nodes.environment
            process = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True
            )
        self.daemons.append(process)

    def kill_daemon(self) -> None:
        """End it without a word, with what it has started."""
        os.killpg(self.daemons[-1].pid, signal.SIGKILL)
        self.daemons.pop().wait()

    def submit(self, job: str, **tags: str) -> str:
        """Put a run into the queue, as a person does; returns its id."""
        code = ReconstructableJob.for_file(JOBS, job)
        here = InProcessCodeLocationOrigin(LoadableTargetOrigin(python_file=JOBS), location_name="jobs")
        with self.nodes.instance() as instance:
            run = instance.create_run_for_job(
                code.get_definition(),
                tags=tags,
                status=DagsterRunStatus.QUEUED,
                job_code_origin=code.get_python_origin(),
                remote_job_origin=RemoteJobOrigin(RemoteRepositoryOrigin(here, "__repository__"), job),
            )
        return run.run_id

    def containers(self, run_id: str) -> list[dict[str, Any]]:
        """In which the run itself executes or has executed."""
        found = self.nodes.swarm.apis["mgr"].containers(all=True, filters={"label": f"dagster/run_id={run_id}"})
        return list(found)

    def wait(self, run_id: str) -> DagsterRunStatus:
        def is_finished() -> bool:
            run = self.nodes.run(run_id)
            return run is not None and run.is_finished

        wait_for(is_finished)
        run = self.nodes.run(run_id)
        assert run is not None
        return run.status


@contextmanager
def run_production(platform: WorkerNodes) -> Iterator[Production]:
    """Start a daemon whose runs are containers on the manager, with its Docker socket."""
    home = platform.folder / "production"
    home.mkdir()
    settings = yaml.safe_load((ROOT / "deploy/dagster.yaml").read_text())
    socket = platform.swarm.socket("mgr").removeprefix("unix://")
    ours = [name for name in platform.environment if name.startswith(("CV_", "AWS_"))]
    settings["run_launcher"]["config"] |= {
        "image": IMAGE,
        "env_vars": [*ours, "PATH", "DOCKER_HOST", "PYTHONDONTWRITEBYTECODE", f"DAGSTER_HOME={home}"],
        "container_kwargs": {
            **settings["run_launcher"]["config"]["container_kwargs"],
            "volumes": [*platform.environment["CV_SWARM_MOUNTS"].split(","), f"{socket}:{socket}"],
        },
    }
    settings["run_monitoring"]["poll_interval_seconds"] = 1
    (home / "dagster.yaml").write_text(yaml.safe_dump(settings))
    production = Production(replace(platform, environment={**platform.environment, "DAGSTER_HOME": str(home)}))
    production.start_daemon()
    try:
        yield production
    finally:
        production.kill_daemon()
        print((platform.folder / "daemon.log").read_text()[-3000:])  # where a test has failed
        manager = platform.swarm.apis["mgr"]
        for container in manager.containers(all=True, filters={"label": "dagster/run_id"}):
            print(manager.logs(container["Id"], tail=30).decode())
            manager.remove_container(container["Id"], force=True)
        production.nodes.close()


@pytest.fixture(scope="module")
def production(platform: WorkerNodes) -> Iterator[Production]:
    with run_production(platform) as one:
        yield one


def test_a_step_goes_on_while_daemon_and_run_worker_are_replaced(production: Production) -> None:
    run_id = production.submit("one_gpu", **{"cv_test/seconds": "15"})
    node = production.nodes.wait_for_mark(run_id, "learn", "began")[2]
    (worker,) = production.containers(run_id)

    production.kill_daemon()
    manager = production.nodes.swarm.apis["mgr"]
    manager.kill(worker["Id"], "SIGTERM")  # as when the manager's machine is updated
    manager.wait(worker["Id"], timeout=30)
    (lease,) = leases(production.nodes, run_id)
    assert lease.state == "running"
    production.start_daemon()

    assert production.wait(run_id) == DagsterRunStatus.SUCCESS
    assert len(production.containers(run_id)) == 2
    assert any("because run will be resumed" in one for one in production.nodes.messages(run_id))
    ends = [mark[1:4] for mark in production.nodes.marks(run_id) if mark[4] == "ended"]
    assert ends == [["0", node, "0"]]
    assert [one.reason for one in leases(production.nodes, run_id)] == ["completed"]
    assert production.nodes.leftovers() == []


def test_a_run_that_is_cancelled_ends_its_steps_without_the_janitor(production: Production) -> None:
    run_id = production.submit("one", **{"cv_test/seconds": "120"})
    production.nodes.wait_for_mark(run_id, "plain", "began")

    with production.nodes.instance() as instance:
        assert instance.run_launcher.terminate(run_id)

    wait_for(lambda: production.nodes.guards(run_id) == [], CANCEL_SECONDS)
    assert production.wait(run_id) == DagsterRunStatus.CANCELED
    assert production.nodes.leftovers() == []
    assert [one.reason for one in leases(production.nodes, run_id)] == ["cancelled"]
