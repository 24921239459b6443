"""Telling of what became of tasks, and forgetting what is old."""

import time
from pathlib import Path

from dagster import DefaultSensorStatus, SensorDefinition, SensorEvaluationContext, SkipReason, sensor

from cv_pipelines.execution.run_progress import forget_progress
from cv_pipelines.orchestration.old_runs import delete_old_runs
from cv_pipelines.tasks.ledger.retention import prune
from resources.tasks import TasksResource

SWEEP_SECONDS = 20.0
PUBLISH_SECONDS = 10.0
"""For the broker to take what is swept up at once."""
PRUNE_SECONDS = 3600.0
MOST_ROWS, MOST_RUNS = 50_000, 100
"""Of what is old so much goes in an hour, and no more: Dagster ends a tick after 60 s."""


def make_event_sensor(run_days: float, logs: Path) -> SensorDefinition:
    """A sensor that delivers what is still open, calls webhooks, and deletes what is old every hour.

    Args:
        run_days: age at which runs of data sets go, unless something current is from them.
        logs: folder of what runs printed that executed in the process of a command.
    """

    @sensor(
        name="task_events",
        minimum_interval_seconds=1,
        default_status=DefaultSensorStatus.RUNNING,
        description="Tells exchange, reply queues and webhooks of what became of tasks; deletes what is old.",
    )
    def task_events(context: SensorEvaluationContext, tasks: TasksResource) -> SkipReason:
        settled = tasks.courier(PUBLISH_SECONDS).sweep(SWEEP_SECONDS)
        pruned = ""
        if time.time() - float(context.cursor or 0) > PRUNE_SECONDS:
            gone = prune(tasks.ledger(), tasks.task_days, tasks.event_days, MOST_ROWS)
            gone["steps' progress"] = forget_progress(tasks.ledger().database, tasks.task_days)
            gone["runs"] = delete_old_runs(context.instance, tasks.task_days, run_days, MOST_RUNS, logs)
            pruned = ", ".join(f"{count:,} {name}" for name, count in gone.items() if count)
            context.update_cursor(str(time.time()))
        return SkipReason(f"{settled} events settled" + (f"; deleted {pruned}" if pruned else ""))

    return task_events
