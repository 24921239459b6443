"""What steps on worker nodes cost: a swarm of three daemons on this machine, against Dagster's docker_executor."""

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from dagster import DagsterEventType, DagsterRunStatus

from benchmarks.measure import Figure, UnavailableError, figure, seconds
from cv_pipelines.settings import ROOT
from tests.execution.worker_nodes import WorkerNodes, run_platform
from tests.swarm import run_swarm

SAMPLES = 5
STEPS, STEP_SECONDS, WORKERS = 20, 1.0, 2
_JOBS = str(ROOT / "benchmarks/worker_node_jobs.py")
_IMPORTS = "import dagster, cv_pipelines.execution.swarm_executor"


def measure(rounds: int) -> list[Figure]:
    """A step begins at most 1.3 times as late; a training takes at most 1.05 times as long."""
    with _platform() as nodes:
        return [_beginning(nodes), _learning(nodes, rounds)]


def _beginning(nodes: WorkerNodes) -> Figure:
    ours, theirs = [], []
    for sample in range(SAMPLES + 1):
        pair = _until_user_code(nodes, "on_swarm"), _until_user_code(nodes, "on_docker")
        if sample:  # the first time everything is loaded
            ours.append(pair[0])
            theirs.append(pair[1])
    bare = statistics.median(seconds(lambda: _bare(nodes)) for _ in range(3))
    wall = _twenty(nodes)
    ideal = STEPS * STEP_SECONDS / WORKERS
    detail = (
        f"{statistics.median(ours):.2f} s against {statistics.median(theirs):.2f} s; a bare 'docker run' of the "
        f"imports {bare:.2f} s; {STEPS} steps of {STEP_SECONDS:g} s on {WORKERS} workers {wall:.1f} s, "
        f"ideally {ideal:.0f} s"
    )
    ratios = [one / other for one, other in zip(ours, theirs, strict=True)]
    return figure("run started to user code, swarm / docker_executor", ratios, 1.3, True, detail)


def _learning(nodes: WorkerNodes, rounds: int) -> Figure:
    inside, outside = [], []
    code = "from benchmarks.worker_node_jobs import fit_seconds; print(fit_seconds())"
    for _ in range(rounds):
        (mark,) = _marks_of(nodes, "learning")
        inside.append(float(mark))
        done = subprocess.run(
            [sys.executable, "-c", code],
            env=nodes.environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        outside.append(float(done.stdout.split()[-1]))
    detail = f"{statistics.median(inside):.1f} s against {statistics.median(outside):.1f} s"
    ratios = [one / other for one, other in zip(inside, outside, strict=True)]
    return figure("training in a container / outside", ratios, 1.05, True, detail)


def _until_user_code(nodes: WorkerNodes, job: str) -> float:
    run_id = _run(nodes, job)
    (started,) = nodes.events(run_id, DagsterEventType.RUN_START)
    return float(nodes.marks(run_id)[0][4]) - started.timestamp


def _twenty(nodes: WorkerNodes) -> float:
    run_id = _run(nodes, "twenty")
    (started,) = nodes.events(run_id, DagsterEventType.RUN_START)
    return max(float(mark[4]) for mark in nodes.marks(run_id)) - started.timestamp


def _marks_of(nodes: WorkerNodes, job: str) -> list[str]:
    return [mark[4] for mark in nodes.marks(_run(nodes, job))]


def _run(nodes: WorkerNodes, job: str) -> str:
    run_id = nodes.launch(job, CV_BENCH_IMAGE="cv-test-host:1")
    status = nodes.wait(run_id).status
    if status != DagsterRunStatus.SUCCESS:
        raise SystemExit(f"{job}: {status}: {nodes.messages(run_id)[-5:]}")
    return run_id


def _bare(nodes: WorkerNodes) -> None:
    """Start a container by hand, load the same libraries, end."""
    mounts = [part for mount in nodes.environment["CV_SWARM_MOUNTS"].split(",") for part in ("-v", mount)]
    command = ["docker", "-H", nodes.environment["DOCKER_HOST"], "run", "--rm", "--network=none", *mounts]
    variables = ["-e", f"PYTHONPATH={ROOT}", "-e", f"PATH={nodes.environment['PATH']}"]
    subprocess.run([*command, *variables, nodes.swarm.image, "python", "-c", _IMPORTS], check=True)


@contextmanager
def _platform() -> Iterator[WorkerNodes]:
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        Path(folder).chmod(0o755)
        try:
            swarm = stack.enter_context(run_swarm())
            nodes = stack.enter_context(run_platform(swarm, Path(folder, "platform")))
        except (pytest.skip.Exception, pytest.fail.Exception) as error:  # how the tests say what is missing
            raise UnavailableError(str(error)) from error
        nodes.jobs = _JOBS
        time.sleep(1)
        yield nodes
