"""From a message to `running` on an idle system, against a bare Dagster run of an empty job."""

import json
import statistics
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pika

from benchmarks.measure import Figure, figure
from benchmarks.task_servers import message, prepare, send, task_servers
from tests.installation import Installation

SAMPLES = 12
MOST_MORE = 6.0
"""Seconds that a task may take longer than a bare run."""
_APART = 10.0
"""Seconds between two, at most: ticks come every five, and no two may meet them in the same way."""
_GIVE_UP = 180.0
_WATCHED = "watched"
_LAUNCH = """
mutation { launchRun(executionParams: { runConfigData: {}, selector: {
    repositoryLocationName: "cv_pipelines", repositoryName: "__repository__", jobName: "exercise" } })
{ __typename ... on LaunchRunSuccess { run { runId } } } }
"""
_FOLLOW = """
query($run: ID!) { runOrError(runId: $run) { ... on Run { status eventConnection { events {
    ... on ExecutionStepStartEvent { timestamp } } } } } }
"""


def measure(_: int) -> list[Figure]:
    """At most six seconds more, in the middle and of one in twenty."""
    with _platform() as (broker, ui):
        _task(broker, "first")
        _bare(ui)  # everything has been loaded once from here on, for both
        ours, bare, pauses = [], [], np.random.default_rng()
        for number in range(SAMPLES):
            time.sleep(pauses.uniform(0, _APART))
            ours.append(_task(broker, f"task-{number}"))
            time.sleep(pauses.uniform(0, _APART))
            bare.append(_bare(ui))
    middle, late = statistics.median(bare), _late(bare)
    figures = [("median", [one - middle for one in ours], middle), ("95th percentile", [_late(ours) - late], late)]
    return [
        figure(
            f"(message to running - bare run) / {MOST_MORE:g} s, {name}",
            [one / MOST_MORE for one in more],
            1.0,
            True,
            f"{statistics.median(more) + base:.1f} s against {base:.1f} s; {SAMPLES} of each",
        )
        for name, more, base in figures
    ]


def _late(times: list[float]) -> float:
    return statistics.quantiles(times, n=20, method="inclusive")[-1]


@contextmanager
def _platform() -> Iterator[tuple[str, str]]:
    """Daemon and UI on a broker and a database of their own; URLs of broker and UI."""
    with tempfile.TemporaryDirectory() as folder, task_servers() as (broker, postgres):
        url = broker.new_vhost()
        prepare(url, _WATCHED, watched="sleep.*")
        settings = {"CV_RABBITMQ_URL": url, "CV_DATABASE_URL": postgres.new_database()}
        with Installation(Path(folder), settings).dev() as ui:
            yield url, ui


def _task(url: str, name: str) -> float:
    """Publish a task; returns the seconds until the caller hears that it is running, when it has ended."""
    started = time.time()
    send(url, [message(name, "sleep", {"seconds": 0.0})])
    running = 0.0
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        for _, __, body in connection.channel().consume(_WATCHED, auto_ack=True, inactivity_timeout=1):
            status: dict[str, Any] = json.loads(body) if body else {}
            if status.get("task_id") == name and status["state"] == "running":
                running = running or time.time()
            if status.get("task_id") == name and status["state"] == "succeeded":
                return running - started
            if time.time() - started > _GIVE_UP or status.get("state") == "failed":
                break
    raise SystemExit(f"The task has not succeeded within {_GIVE_UP:g} s: {status}")


def _bare(ui: str) -> float:
    """Launch a run that has nothing to do; returns the seconds until its step starts, when it has ended."""
    started = time.time()
    run = _ask(ui, _LAUNCH)["launchRun"]["run"]["runId"]
    while time.time() - started < _GIVE_UP:
        found = _ask(ui, _FOLLOW, run=run)["runOrError"]
        if found["status"] == "SUCCESS":
            (event,) = (event for event in found["eventConnection"]["events"] if event)
            return float(event["timestamp"]) / 1000 - started
        time.sleep(0.5)
    raise SystemExit(f"The bare run has not succeeded within {_GIVE_UP:g} s.")


def _ask(ui: str, query: str, **variables: str) -> Any:
    body = json.dumps({"query": query, "variables": variables}).encode()
    request = urllib.request.Request(f"{ui}/graphql", body, {"Content-Type": "application/json"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - our own server
        return json.load(answer)["data"]
