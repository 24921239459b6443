"""Giving runs to the daemon."""

import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from dagster import DagsterInstance

from cv_pipelines.errors import InfrastructureError
from cv_pipelines.orchestration.instance import daemon_is_running
from cv_pipelines.settings import ROOT

LOCATION = "cv_pipelines"
"""The name of the code location, the same in every workspace: run keys and origins hold it."""


def submit(job: str, partition: str, run_id: str, config: Mapping[str, Any]) -> None:
    """Put a run of a job's partition into the queue, by Dagster's own command.

    Raises:
        InfrastructureError: the code location does not load, or the storage does not answer.
    """
    command = [sys.executable, "-W", "ignore", "-m", "dagster", "job", "launch"]
    command += ["--workspace", str(ROOT / "workspace.yaml"), "--location", LOCATION, "--job", job]
    command += ["--config-json", json.dumps(config)]
    command += ["--tags", json.dumps({"dagster/partition": partition}), "--run-id", run_id]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    if done.returncode != 0:
        message = "The run could not be submitted. 'make dev' shows why the code does not load."
        raise InfrastructureError("submit", message, done.stderr[-4000:])


def is_stranded(instance: DagsterInstance, run_id: str) -> bool:
    """Say whether a run has not ended while the daemon that looks after it is gone."""
    run = instance.get_run_by_id(run_id)
    return run is not None and not run.is_finished and not daemon_is_running(instance)
