"""Messages become tasks, tasks become runs, and what became of the runs goes back to the tasks."""

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

from dagster import (
    BetaWarning,
    DagsterInstance,
    DefaultSensorStatus,
    JobDefinition,
    RunRequest,
    SensorDefinition,
    SensorEvaluationContext,
    SensorResult,
    SkipReason,
    sensor,
)
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from cv_pipelines.database.clock import time_of
from cv_pipelines.errors import CvError
from cv_pipelines.images.datasets import find_dataset
from cv_pipelines.orchestration.instance import add_partition, add_videos
from cv_pipelines.orchestration.task_attempts import reconcile, request_of
from cv_pipelines.tasks.ledger.claims import Attempt, claim, expire, open_attempts
from cv_pipelines.tasks.ledger.closing import close
from cv_pipelines.tasks.ledger.ledger import Ledger
from cv_pipelines.tasks.ledger.outcomes import error_of
from cv_pipelines.tasks.ledger.watch import Watch
from cv_pipelines.tasks.work.videos import enter_video
from resources.tasks import TasksResource

if TYPE_CHECKING:
    from cv_pipelines.tasks.delivery import Courier

# Dagster makes a sensor of several jobs anew, and then warns of a parameter that it has set itself
warnings.filterwarnings("ignore", message=".*`owners` of initializer `SensorDefinition", category=BetaWarning)

MOST_MESSAGES = 20_000
"""Of one tick: more than come between two."""
TAKE_SECONDS = 2.0
SHORTEST_GAP = 10.0
"""Seconds between two ticks: with much to do the daemon itself lets as many pass."""


def make_task_sensor(jobs: Sequence[JobDefinition | UnresolvedAssetJobDefinition]) -> SensorDefinition:
    """The sensor at the heart of tasks: every tick it takes messages, looks at runs, and asks for new ones.

    Args:
        jobs: those of all kinds.
    """

    @sensor(
        name="tasks",
        jobs=jobs,
        minimum_interval_seconds=1,
        default_status=DefaultSensorStatus.RUNNING,
        description="Takes tasks from CV_RABBITMQ_URL and the ledger, starts runs that do them, follows these.",
    )
    def tasks(context: SensorEvaluationContext, tasks: TasksResource) -> SensorResult:
        ledger, courier, notes = tasks.ledger(), tasks.courier(), []
        pause = max(tasks.lost_after / 2, SHORTEST_GAP)
        watch = Watch.read(context.cursor).resume(time_of(ledger.database), pause)
        try:
            notes += _collect(tasks, ledger, courier)
        except CvError as error:  # the tasks that are here need no broker
            notes.append(error.user_message)
            context.log.warning(error.user_message)
        told = expire(ledger)
        for attempt in open_attempts(ledger):
            try:
                told += reconcile(ledger, context.instance, attempt, tasks.lost_after, watch.last - watch.since)
            except Exception as error:  # noqa: BLE001 - it is told, and must not hamper the other attempts
                notes.append(f"attempt {attempt.id}: {error}")
                context.log.warning(f"Attempt {attempt.id} cannot be looked at: {error}")
        claim(ledger)
        requests = []
        for attempt in open_attempts(ledger):
            request, refused = _request(tasks, context.instance, attempt)
            requests += [request] if request else []
            told += refused
        courier.announce(told)
        quiet = None if requests else SkipReason("; ".join(notes) or "Nothing has to be started.")
        cursor = watch.end(time_of(ledger.database)).model_dump_json()
        return SensorResult(requests, skip_reason=quiet, cursor=cursor)

    return tasks


def _collect(tasks: TasksResource, ledger: Ledger, courier: "Courier") -> list[str]:
    """Take messages from the broker, if there is one; says what came."""
    if not tasks.broker_url:
        return []
    from cv_pipelines.tasks.collection import collect  # pika is imported where there is a broker

    url, allow = tasks.broker_url, tuple(tasks.url_allow)
    got = collect(ledger, url, MOST_MESSAGES, TAKE_SECONDS, tasks.most_waiting, allow)
    courier.announce(got.events)
    notes = [f"{got.accepted} new tasks, {got.duplicates} known, {got.refused} dead letters"]
    if got.full:
        notes.append(f"{tasks.most_waiting:,} tasks are waiting: messages stay in the broker")
    return notes


def _request(
    tasks: TasksResource, instance: DagsterInstance, attempt: Attempt
) -> tuple[RunRequest | None, list[int]]:
    """Ask for the run of an attempt that has none; one that cannot be asked for would wedge the sensor."""
    ledger = tasks.ledger()
    if attempt.problem is not None:
        return None, close(ledger, attempt.id, attempt.problem)
    try:
        partition = _partition(tasks, instance, attempt)
    except CvError as error:
        return None, close(ledger, attempt.id, error_of(error))
    return request_of(instance, attempt, partition), []


def _partition(tasks: TasksResource, instance: DagsterInstance, attempt: Attempt) -> str | None:
    """The partition of an attempt's run, which is there from now on; None where its run has none."""
    database, name = tasks.ledger().database, attempt.names
    if name is None:
        return None
    if attempt.kind.partition == "video":
        key = enter_video(database, name, tuple(tasks.file_allow))
        add_videos(instance, [key])
        return key
    add_partition(instance, find_dataset(database, name).name)
    return name
