"""Ten thousand tasks of one image each, from the first message to the last reply, against predicting directly."""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pika

from benchmarks.direct_prediction import DATASET, images_of
from benchmarks.measure import Figure, figure, photos, seconds
from benchmarks.task_servers import message, prepare, send, task_servers
from cv_pipelines.broker.messages import Outgoing
from cv_pipelines.settings import ROOT
from tests.installation import Installation, wait_for

TASKS = 10_000
FACTOR, ALLOWED_SECONDS = 1.5, 30
MOST_RUNS = 20
_REPLIES = "replies"
_GIVE_UP = 600.0
_ENDED = {"SUCCESS", "FAILURE", "CANCELED"}


@dataclass(frozen=True)
class _Platform:
    """A daemon at work, with a data set that has a champion.

    Attributes:
        installation: its settings.
        url: of its broker.
        source: folder of the images.
    """

    installation: Installation
    url: str
    source: Path


def measure(rounds: int) -> list[Figure]:
    """At most 1.5 times plus 30 s, in at most 20 runs."""
    with _platform() as platform:
        found = [_round(platform, f"task-{number}") for number in range(rounds)]
    ratios = [(tasks - ALLOWED_SECONDS) / direct for tasks, direct, _ in found]
    tasks, direct, _ = min(found)
    runs = [float(count) for _, __, count in found]
    name = f"({TASKS:,} photos as tasks - {ALLOWED_SECONDS} s) / predicted directly"
    return [
        figure(name, ratios, FACTOR, True, f"{tasks:.1f} s against {direct:.1f} s"),
        figure(f"runs for {TASKS:,} tasks", runs, MOST_RUNS, True, f"{statistics.median(runs):g} runs"),
    ]


@contextmanager
def _platform() -> Iterator[_Platform]:
    """Everything that is there before the first message; the daemon has done a task already."""
    with tempfile.TemporaryDirectory() as folder, task_servers() as (broker, postgres):
        url, state, source = broker.new_vhost(), Path(folder, "state"), photos(Path(folder), 1000)
        state.mkdir()
        prepare(url, _REPLIES)
        settings = {
            "CV_RABBITMQ_URL": url,
            "CV_DATABASE_URL": postgres.new_database(),
            "CV_FILE_ALLOW": str(source),
        }
        platform = _Platform(Installation(state, settings), url, source)
        _direct(platform, "train", str(source))
        with platform.installation.dev():
            first = [message("first", "sleep", {"seconds": 0.0}, _REPLIES)]
            send(url, first)
            _await_replies(url, first)
            yield platform


def _round(platform: _Platform, prefix: str) -> tuple[float, float, int]:
    """Seconds of all tasks, seconds of the same images without tasks, and how many runs there were."""
    params = [{"dataset": DATASET, "uris": [path.as_uri()]} for path in images_of(platform.source, TASKS)]
    tasks = [
        message(f"{prefix}-{number:05}", "classify_images", one, _REPLIES) for number, one in enumerate(params)
    ]
    before = len(platform.installation.runs())

    def work() -> None:
        send(platform.url, tasks)
        _await_replies(platform.url, tasks)

    through = seconds(work)
    wait_for(lambda: {run["status"] for run in platform.installation.runs()} <= _ENDED, 120)
    runs = len(platform.installation.runs()) - before
    direct = seconds(lambda: _direct(platform, "predict", str(platform.source), str(TASKS)))
    return through, direct, runs


def _direct(platform: _Platform, *arguments: str) -> None:
    command = [sys.executable, "-m", "benchmarks.direct_prediction", *arguments]
    done = subprocess.run(
        command, env=platform.installation.environment, cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(done.stderr)


def _await_replies(url: str, tasks: Sequence[Outgoing]) -> None:
    """Wait until each task has succeeded; a reply may come more than once."""
    left = {task.message_id for task in tasks}
    ends = time.monotonic() + _GIVE_UP
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        for _, __, body in connection.channel().consume(_REPLIES, auto_ack=True, inactivity_timeout=1):
            if body:
                status = json.loads(body)
                left.discard(status["task_id"])
                if status["state"] != "succeeded":
                    raise SystemExit(f"A task has not succeeded: {status}")
            if not left:
                return
            if time.monotonic() > ends:
                raise SystemExit(f"{len(left)} tasks have no reply after {_GIVE_UP:g} s.")
