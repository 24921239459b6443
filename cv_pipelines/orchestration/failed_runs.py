"""A failed run in words: who has to act, on what, and where to look."""

from collections.abc import Sequence

from dagster import DagsterEvent, DagsterRun


def describe_failure(
    run: DagsterRun, message: str, step_failures: Sequence[DagsterEvent], ui_url: str
) -> dict[str, object]:
    """What a webhook is told of a failed run.

    Returns:
        `run`, `job`, `dataset`, `source` (of the error, as in cv_pipelines.errors), `code`, `step`,
        `message`, `link`.
    """
    told: dict[str, object] = {
        "run": run.run_id,
        "job": run.job_name,
        "dataset": run.tags.get("dagster/partition"),
        "source": "infrastructure",
        "code": "run_failed",
        "step": None,
        "message": message,
        "link": f"{ui_url.rstrip('/')}/runs/{run.run_id}",
    }
    for event in step_failures:
        told |= {"step": event.step_key} | _cause(event)
        break
    return told


def _cause(event: DagsterEvent) -> dict[str, object]:
    """Source, code and message of a failed step, as our errors left them."""
    data = event.step_failure_data
    failure = data.user_failure_data
    if failure is None:
        is_check = data.error is not None and data.error.cls_name == "DagsterAssetCheckFailedError"
        text = data.error.message.strip() if data.error else "The step failed."
        return {"source": "input", "code": "check_failed", "message": text} if is_check else {"message": text}
    values = {name: str(value.value) for name, value in failure.metadata.items() if name in ("source", "code")}
    return {**values, "message": failure.description or "The step failed."}
