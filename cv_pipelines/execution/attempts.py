"""What earlier attempts of a step came to, as Dagster recorded it."""

from dagster import AssetExecutionContext, DagsterEventType, OpExecutionContext
from dagster_shared.error import SerializableErrorInfo

ATTEMPT = "cv/attempt"
"""Tag of a run: the attempt of the ledger that it does."""


def attempt_of(context: AssetExecutionContext | OpExecutionContext) -> int | None:
    """The attempt of the ledger that a step's run does, None where nobody's task asked for it."""
    attempt = context.run.tags.get(ATTEMPT)
    return int(attempt) if attempt else None


def failures_of(context: AssetExecutionContext | OpExecutionContext, error: type[Exception]) -> int:
    """How many earlier attempts of this step in this run failed with `error`."""
    step = context.get_step_execution_context().step.key
    logs = context.instance.all_logs(context.run.run_id, of_type=DagsterEventType.STEP_UP_FOR_RETRY)
    retries = [entry.dagster_event for entry in logs if entry.step_key == step]
    return sum(_has_cause(event.step_retry_data.error, error.__name__) for event in retries if event is not None)


def _has_cause(info: SerializableErrorInfo | None, name: str) -> bool:
    while info is not None:
        if info.cls_name == name:
            return True
        info = info.cause
    return False
