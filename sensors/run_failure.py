"""Telling a webhook about failed runs."""

from dagster import (
    DefaultSensorStatus,
    RunFailureSensorContext,
    SensorDefinition,
    SkipReason,
    run_failure_sensor,
)

from cv_pipelines.orchestration.failed_runs import describe_failure
from resources.webhook import WebhookResource


def make_run_failure_sensor(ui_url: str) -> SensorDefinition:
    """A sensor that posts source, message and link of every failed run.

    Args:
        ui_url: where people reach the UI that the link points to.
    """

    @run_failure_sensor(
        name="failed_runs",
        description="Posts source, message and link of each failed run to CV_FAILURE_WEBHOOK, if that is set.",
        default_status=DefaultSensorStatus.RUNNING,
        minimum_interval_seconds=1,
    )
    def failed_runs(context: RunFailureSensorContext, webhook: WebhookResource) -> SkipReason | None:
        if not webhook.url:
            return SkipReason("CV_FAILURE_WEBHOOK is not set: nobody is told of failed runs.")
        message = context.failure_event.message or "The run failed."
        events = context.get_step_failure_events()
        webhook.post(describe_failure(context.instance, context.dagster_run, message, events, ui_url))
        return None

    return failed_runs
