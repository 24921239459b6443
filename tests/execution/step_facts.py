"""What tests of runs on worker nodes look at."""

from dagster import DagsterEventType

from cv_pipelines.execution.leases import Lease, leases_of
from tests.execution.worker_nodes import WorkerNodes

FAILURE = DagsterEventType.STEP_FAILURE
RETRY = DagsterEventType.STEP_UP_FOR_RETRY


def failure_of(platform: WorkerNodes, run_id: str) -> tuple[str, dict[str, object]]:
    """Message and facts of the final failure of a run's only step that failed."""
    (entry,) = platform.events(run_id, FAILURE)
    assert entry.dagster_event is not None
    data = entry.dagster_event.step_failure_data
    facts = data.user_failure_data.metadata if data.user_failure_data else {}
    assert data.error is not None
    return data.error.message, {name: value.value for name, value in facts.items()}


def leases(platform: WorkerNodes, run_id: str) -> list[Lease]:
    return sorted(leases_of(platform.database, run_id).values(), key=lambda one: (one.step_key, one.attempt))


def retries(platform: WorkerNodes, run_id: str) -> int:
    return len(platform.events(run_id, RETRY))
