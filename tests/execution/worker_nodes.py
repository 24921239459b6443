"""A platform with worker nodes for tests: a swarm, a Postgres and a store that all nodes reach, and runs."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import psutil
from dagster import DagsterEventType, DagsterInstance, DagsterRun, DagsterRunStatus, EventLogEntry
from dagster._core.utils import make_new_run_id
from sqlalchemy import Engine

from cv_pipelines.database.engine import open_database
from cv_pipelines.execution.leases import leases_of
from cv_pipelines.settings import ROOT
from tests.installation import COMMAND, wait_for
from tests.servers import S3, Postgres, run_postgres
from tests.swarm import Swarm, host_mounts

WORKER = str(ROOT / "tests/execution/run_worker.py")
JOBS = str(ROOT / "tests/execution/swarm_jobs.py")
LEASE = 4.0
CANCEL_SECONDS = 30.0
"""In which a cancelled run and its steps end: `cancel_timeout_seconds` of deploy/dagster.yaml."""


@dataclass
class WorkerNodes:
    """A platform.

    Attributes:
        nodes: its swarm; None where its nodes are made up.
        postgres: its database server.
        folder: of marks and state; all nodes have it.
        environment: of every process of it.
        jobs: the file that its jobs are in.
    """

    nodes: Swarm | None
    postgres: Postgres
    folder: Path
    environment: Mapping[str, str]
    jobs: str = JOBS
    _workers: "dict[str, subprocess.Popen[bytes]]" = field(default_factory=dict)

    @property
    def swarm(self) -> Swarm:
        """Its nodes, which are real."""
        assert self.nodes is not None
        return self.nodes

    @cached_property
    def database(self) -> Engine:
        return open_database(self.environment["CV_DATABASE_URL"])

    @contextmanager
    def instance(self) -> Iterator[DagsterInstance]:
        """The Dagster instance of the platform, opened once: who waits asks it again and again."""
        with _environment(self.environment):
            yield self._instance

    @cached_property
    def _instance(self) -> DagsterInstance:
        return DagsterInstance.get()

    def close(self) -> None:
        """Close what this process has opened of it."""
        if "_instance" in self.__dict__:
            self._instance.dispose()
        if "database" in self.__dict__:
            self.database.dispose()

    def launch(self, job: str, tags: Mapping[str, str] | None = None, **variables: str) -> str:
        """Start a run in a process of its own on this machine, as a run worker; returns the run's id."""
        run_id = make_new_run_id()
        self._work(run_id, job, tags or {}, variables)
        return run_id

    def resume(self, run_id: str) -> None:
        """Let another process go on with a run whose worker is gone."""
        run = self.run(run_id)
        assert run is not None
        self._work(run_id, run.job_name, {}, {})

    def _work(self, run_id: str, job: str, tags: Mapping[str, str], variables: Mapping[str, str]) -> None:
        command = [sys.executable, WORKER, self.jobs, job, run_id, json.dumps(dict(tags))]
        environment = {**self.environment, **variables, "PYTHONPATH": str(ROOT)}
        with (self.folder / f"{run_id}.log").open("ab") as log:
            process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        self._workers[run_id] = process

    def janitor(self) -> Any:
        """One sweep of the janitor; what it says it has done, None where that is nothing."""
        command = [COMMAND, "node", "janitor", "--once", "--json"]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False, cwd=ROOT)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else None

    def cancel(self, run_id: str) -> None:
        """Tell a run's worker to stop, as its launcher would, and wait for its end."""
        with self.instance() as instance:
            run = instance.get_run_by_id(run_id)
            assert run is not None
            instance.report_run_canceling(run)
        self._workers[run_id].send_signal(signal.SIGINT)
        self._workers[run_id].wait(CANCEL_SECONDS)
        run = self.run(run_id)
        assert run is not None
        assert run.status == DagsterRunStatus.CANCELED

    def kill_worker(self, run_id: str) -> None:
        """End a run's worker without a word."""
        self._workers[run_id].kill()
        self._workers[run_id].wait()

    def guards(self, run_id: str) -> list[int]:
        """The processes that guard steps of a run; those in containers are this machine's, too."""
        wanted = {f"--lease={name}" for name in leases_of(self.database, run_id)}
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if wanted.intersection(process.cmdline()) and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process.pid)
        return found

    def run(self, run_id: str) -> DagsterRun | None:
        with self.instance() as instance:
            return instance.get_run_by_id(run_id)

    def wait(self, run_id: str) -> DagsterRun:
        """Wait until a run has ended."""
        ended: list[DagsterRun] = []

        def has_ended() -> bool:
            run = self.run(run_id)
            if run is not None and run.is_finished:
                ended.append(run)
            elif self._workers[run_id].poll() not in (None, 0):
                raise AssertionError((self.folder / f"{run_id}.log").read_text()[-4000:])
            return bool(ended)

        wait_for(has_ended)
        return ended[0]

    def marks(self, run_id: str) -> list[list[str]]:
        """What the steps of a run have left: op, attempt, node, GPUs, words."""
        path = self.folder / "marks" / run_id
        return [line.split("|") for line in path.read_text().splitlines()] if path.exists() else []

    def wait_for_mark(self, run_id: str, op: str, words: str) -> list[str]:
        """Wait until a step has left a mark; returns it."""
        found: list[list[str]] = []

        def is_there() -> bool:
            found[:] = [mark for mark in self.marks(run_id) if mark[0] == op and mark[4] == words]
            return bool(found)

        wait_for(is_there)
        return found[0]

    def events(self, run_id: str, kind: DagsterEventType | None = None) -> list[EventLogEntry]:
        with self.instance() as instance:
            return [one for one in instance.all_logs(run_id, of_type=kind) if one.dagster_event]

    def facts(self, run_id: str) -> list[dict[str, object]]:
        """What the UI shows beside the messages of a run."""
        told = [one.dagster_event for one in self.events(run_id, DagsterEventType.ENGINE_EVENT)]
        shown = [event.engine_event_data.metadata for event in told if event is not None]
        return [{name: value.value for name, value in one.items()} for one in shown]

    def messages(self, run_id: str) -> list[str]:
        """What the UI shows of a run, line by line."""
        return [one.dagster_event.message or "" for one in self.events(run_id) if one.dagster_event]

    def leftovers(self) -> list[str]:
        """Services of ours that are still there."""
        if self.nodes is None:
            return []
        manager = self.swarm.apis["mgr"]
        return [one["Spec"]["Name"] for one in manager.services(filters={"label": "cv.lease"})]


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    from cv_pipelines.settings import load_settings, load_swarm_settings

    before = dict(os.environ)
    os.environ.update(values)
    load_settings.cache_clear()
    load_swarm_settings.cache_clear()
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
        load_settings.cache_clear()
        load_swarm_settings.cache_clear()


def make_bucket(environment: Mapping[str, str], name: str) -> None:
    names = ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION")
    S3({one: environment[one] for one in names}).client.create_bucket(Bucket=name)


@contextmanager
def run_platform(swarm: Swarm | None, folder: Path) -> Iterator[WorkerNodes]:
    """Start what a platform needs beside its nodes; without a swarm these are made up."""
    from moto.server import ThreadedMotoServer

    folder.joinpath("marks").mkdir(parents=True)
    folder.chmod(0o777)
    address = swarm.address if swarm else "127.0.0.1"
    store = ThreadedMotoServer(address, port=0, verbose=False)
    store.start()
    try:
        with run_postgres(address=address) as postgres:
            host, port = store.get_host_and_port()
            shared = {
                "CV_DATABASE_URL": postgres.new_database(),
                "CV_STORE_URL": "s3://platform",
                "CV_STATE": str(folder / "state"),
                "CV_TEST_MARKS": str(folder / "marks"),
                "DAGSTER_HOME": str(ROOT),
                "AWS_ENDPOINT_URL": f"http://{host}:{port}",
                "AWS_ACCESS_KEY_ID": "key",
                "AWS_SECRET_ACCESS_KEY": "secret",
                "AWS_DEFAULT_REGION": "us-east-1",
                "PYTHONDONTWRITEBYTECODE": "1",
                "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
            }
            mounts = host_mounts(ROOT, Path(sys.prefix), Path(sys.base_prefix), folder)
            own = {
                "DOCKER_HOST": swarm.socket("mgr") if swarm else "",
                "CV_TEST_ENGINE": "swarm" if swarm else "fake",
                "CV_SWARM_IMAGE": swarm.image if swarm else "made-up:1",
                "CV_SWARM_MOUNTS": ",".join(dict.fromkeys(mounts)),
                "CV_SWARM_ENV": ",".join([*shared, "CV_NODE_GPUS=1", "CV_TEST_ENGINE"]),
                "CV_SWARM_LEASE": str(LEASE),
            }
            kept = {name: value for name, value in os.environ.items() if not name.startswith(("CV_", "DAGSTER_"))}
            make_bucket(shared, "platform")
            platform = WorkerNodes(swarm, postgres, folder, {**kept, **shared, **own})
            try:
                yield platform
            finally:
                for worker in platform._workers.values():
                    worker.kill()
                    worker.wait()
                platform.close()
    finally:
        store.stop()
