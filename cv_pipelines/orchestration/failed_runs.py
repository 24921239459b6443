"""A failed run in words: who has to act, on what, and where to look."""

from collections.abc import Sequence

from dagster import AssetCheckSeverity, DagsterEvent, DagsterEventType, DagsterInstance, DagsterRun


def describe_failure(
    instance: DagsterInstance, run: DagsterRun, message: str, step_failures: Sequence[DagsterEvent], ui_url: str
) -> dict[str, object]:
    """What a webhook, or the caller of a task, is told of a failed run.

    Args:
        instance: where its events are.
        run: that has failed.
        message: where no step has failed.
        step_failures: in their order; the first one tells.
        ui_url: where people reach the UI.

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
        told |= {"step": event.step_key} | _cause(instance, run, event)
        break
    return told


def _cause(instance: DagsterInstance, run: DagsterRun, event: DagsterEvent) -> dict[str, object]:
    """Source, code and message of a failed step, as our errors left them."""
    data = event.step_failure_data
    failure = data.user_failure_data
    if failure is None:
        text = data.error.message.strip() if data.error else "The step failed."
        if data.error is None or data.error.cls_name != "DagsterAssetCheckFailedError":
            return {"message": text}
        said = _failed_checks(instance, run, event.step_key)
        return {"source": "input", "code": "check_failed", "message": " ".join(said) or text}
    values = {name: str(value.value) for name, value in failure.metadata.items() if name in ("source", "code")}
    return {**values, "message": failure.description or "The step failed."}


def _failed_checks(instance: DagsterInstance, run: DagsterRun, step: str | None) -> list[str]:
    """What the checks say that have stopped a step: Dagster's error has but their names."""
    said = []
    for entry in instance.all_logs(run.run_id, of_type=DagsterEventType.ASSET_CHECK_EVALUATION):
        event = entry.dagster_event
        if event is None or event.step_key != step:
            continue
        found = event.asset_check_evaluation_data
        if found.blocking and not found.passed and found.severity == AssetCheckSeverity.ERROR:
            said.append(found.description or f"The check '{found.check_name}' has failed.")
    return list(dict.fromkeys(said))  # a step that was tried again says so again
