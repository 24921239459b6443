"""What runs by the clock."""

from collections.abc import Iterator

from dagster import RunRequest, ScheduleEvaluationContext, SkipReason, schedule

from cv_pipelines.errors import CvError
from cv_pipelines.images.datasets import list_datasets
from cv_pipelines.jobs import loop
from cv_pipelines.models.retraining import reason_to_train
from cv_pipelines.partitions import DATASETS
from resources.catalog import CatalogResource


@schedule(
    job=loop,
    cron_schedule="0 3 * * 1",
    execution_timezone="UTC",
    description="Mondays at 3:00 UTC: the loop for every data set whose files, labels or splits have changed.",
)
def weekly_retraining(
    context: ScheduleEvaluationContext, catalog: CatalogResource
) -> Iterator[RunRequest | SkipReason]:
    """Train again where there is a reason to, and say why not elsewhere."""
    cat = catalog.open()
    skipped = []
    requested = False
    for dataset in list_datasets(cat.database):
        try:
            reason = reason_to_train(cat, dataset)
        except CvError as error:
            skipped.append(f"{dataset.name}: {error.user_message}")
            continue
        if reason is None:
            skipped.append(f"{dataset.name}: neither data nor labels have changed since its newest model")
            continue
        context.instance.add_dynamic_partitions(str(DATASETS.name), [dataset.name])
        requested = True
        key = f"{dataset.name}:{context.scheduled_execution_time.isoformat()}"
        yield RunRequest(run_key=key, partition_key=dataset.name, tags={"cv/reason": reason})
    if not requested:
        yield SkipReason("; ".join(skipped) or "There is no data set yet.")
