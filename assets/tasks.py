"""Runs that do tasks of the ledger, many at once."""

from dagster import AssetMaterialization, AssetSpec, OpExecutionContext, op

from assets.needs import PREDICTION, gpu_tags
from assets.results import COMMON
from cv_pipelines.execution.attempts import ATTEMPT
from cv_pipelines.execution.failures import STEP_RETRIES, mapped_errors
from cv_pipelines.tasks.ledger.work import SupersededError
from cv_pipelines.tasks.running import Summary, Work, run_attempt
from cv_pipelines.tasks.work.exercise import exercise
from resources.catalog import CatalogResource
from resources.machine import MachineResource
from resources.tasks import TasksResource

task_predictions = AssetSpec(
    "task_predictions",
    group_name="inference",
    owners=COMMON["owners"],
    kinds={"keras"},
    description="What the champions have answered to tasks of the kind classify_images; one entry a batch.",
)


@op(retry_policy=STEP_RETRIES, description="Sleeps and fails, as tasks of the kinds sleep and fail say.")
def exercise_tasks(context: OpExecutionContext, tasks: TasksResource) -> None:
    """Do an attempt at tasks that are there for tests."""
    _do(context, tasks, exercise)


@op(
    retry_policy=STEP_RETRIES,
    pool=PREDICTION,
    tags=gpu_tags(),
    description="Classifies the images of many tasks with a data set's champion.",
)
def classify_task_images(
    context: OpExecutionContext,
    tasks: TasksResource,
    catalog: CatalogResource,
    machine: MachineResource,
) -> None:
    """Do an attempt at tasks of the kind classify_images."""
    from cv_pipelines.tasks.work.classify_images import ClassifyImages  # loads the decoders

    work = ClassifyImages(catalog.open(), tuple(tasks.url_allow), tuple(tasks.file_allow), machine.workers)
    summary = _do(context, tasks, work)
    if summary:
        metadata = {"tasks": summary.tasks, "succeeded": summary.succeeded, "failed": summary.failed}
        context.log_event(AssetMaterialization(task_predictions.key, metadata=metadata))


def _do(context: OpExecutionContext, tasks: TasksResource, work: Work) -> Summary | None:
    """Do the attempt of this run, unless it is another one's or has ended: then there is nothing to do."""
    with mapped_errors():
        attempt = int(context.run.tags.get(ATTEMPT, 0))
        try:
            announce = tasks.courier().announce
            summary = run_attempt(tasks.ledger(), attempt, context.run_id, work, announce, tasks.lost_after)
        except SupersededError as error:
            context.log.warning(error.user_message)
            return None
        if summary is None:
            context.log.info(f"Attempt {attempt} has ended, or another run does it: there is nothing to do.")
            return None
        context.log.info(f"{summary.tasks} tasks: {summary.succeeded} succeeded, {summary.failed} failed.")
        return summary
