"""Another round of active learning as soon as people have said enough."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from dagster import (
    DagsterInstance,
    DagsterRunStatus,
    RunRequest,
    RunsFilter,
    SensorDefinition,
    SensorEvaluationContext,
    SensorResult,
    SkipReason,
    sensor,
)
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition
from dagster._core.storage.tags import RUN_KEY_TAG
from pydantic import BaseModel

from cv_pipelines.active_learning.next_round import labels_since_training, queue_is_used_up, training_of
from cv_pipelines.active_learning.parameters import QueueParameters
from cv_pipelines.active_learning.queue import ASSET as QUEUE
from cv_pipelines.active_learning.standing import standing_parameters
from cv_pipelines.annotations.store.versions import last_event
from cv_pipelines.catalog import Catalog
from cv_pipelines.database.clock import time_of
from cv_pipelines.database.engine import reading
from cv_pipelines.images.datasets import Dataset, list_datasets
from cv_pipelines.images.versions import MANIFEST
from cv_pipelines.models.parameters import TrainingParameters
from cv_pipelines.models.registry import ledger
from cv_pipelines.orchestration.instance import add_partition
from cv_pipelines.orchestration.local_runs import run_in_progress
from cv_pipelines.storage.bundles import Reference
from resources.catalog import CatalogResource
from sensors.memory import read_memory

LEARN, JUDGE, ASK = "learn", "judge", "ask"
"""The jobs: a round from labels to the next queue, its rest from the model on, and the next queue alone."""
SET: dict[str, dict[str, type[BaseModel]]] = {
    LEARN: {"trained_model": TrainingParameters, QUEUE: QueueParameters},
    JUDGE: {QUEUE: QueueParameters},
    ASK: {QUEUE: QueueParameters},
}
"""The assets of each job that a person may set something about."""
_AT_ONCE = 500
_LAUNCHED = [status for status in DagsterRunStatus if status != DagsterRunStatus.NOT_STARTED]


class Memory(BaseModel):
    """What a tick leaves to the next one, as its cursor.

    Attributes:
        settled: by data set, the state in which nothing had to be run: nobody looks at it twice.
    """

    settled: dict[str, str] = {}


def make_label_sensor(jobs: Sequence[UnresolvedAssetJobDefinition], after: int) -> SensorDefinition:
    """A sensor that closes the loop of active learning; off until switched on, for it trains models.

    Args:
        jobs: LEARN, JUDGE and ASK.
        after: new labels that are worth a round; 0: no number is.
    """

    @sensor(
        name="new_labels",
        jobs=jobs,
        minimum_interval_seconds=30,
        description="Trains after CV_RETRAIN_AFTER_LABELS new labels; asks for more labels when a queue is done.",
    )
    def new_labels(context: SensorEvaluationContext, catalog: CatalogResource) -> SensorResult:
        cat, memory, settled = catalog.open(), read_memory(Memory, context.cursor), dict[str, str]()
        day = datetime.fromtimestamp(time_of(cat.database), UTC).date()
        requests, notes = [], []
        for dataset, said, images in _present(cat):
            state = f"{said}:{after}:{day}:{images.version if images else ''}"
            if memory.settled.get(dataset.name) == state:
                settled[dataset.name] = state
                continue
            try:
                answer = judge(cat, context.instance, dataset.name, after)
            except Exception as error:  # noqa: BLE001 - it is told, and must not hamper the other data sets
                answer = f"cannot be looked at: {error}"
                context.log.warning(f"{dataset.name} {answer}")
            if isinstance(answer, RunRequest):
                requests.append(answer)
            elif answer:
                notes.append(f"{dataset.name} {answer}")
            else:
                settled[dataset.name] = state
        quiet = None if requests else SkipReason("; ".join(notes) or "Nobody has said enough that is new.")
        return SensorResult(requests, skip_reason=quiet, cursor=Memory(settled=settled).model_dump_json())

    return new_labels


def _present(catalog: Catalog) -> Iterator[tuple[Dataset, int, Reference | None]]:
    """All data sets, the newest event of each, and its images: read some hundred at a time."""
    datasets = list_datasets(catalog.database)
    for start in range(0, len(datasets), _AT_ONCE):
        some = datasets[start : start + _AT_ONCE]
        manifests = catalog.currents(MANIFEST, [one.name for one in some])
        with reading(catalog.database) as connection:
            said = [last_event(connection, one.name) for one in some]
        yield from ((one, event, manifests.get(one.name)) for one, event in zip(some, said, strict=True))


def judge(catalog: Catalog, instance: DagsterInstance, dataset: str, after: int) -> RunRequest | str:
    """What to run, or why nothing is run (empty: there is no need to).

    A round that failed is not repeated with the same labels: its key changes with every `after` further ones. A
    model that it had trained is judged all the same, once. A queue that could not be made is not tried again for
    the same images.

    Args:
        catalog: where models and labels are.
        instance: where runs are.
        dataset: its name.
        after: new labels that are worth a round; 0: no number is.
    """
    images = catalog.current(MANIFEST, dataset)
    if images is None:
        return "has not been ingested yet"
    busy = run_in_progress(instance, dataset, queued=True)
    if busy is not None:
        return f"is being worked on by run {busy}"
    unjudged = _unjudged_model(catalog, instance, dataset)
    if unjudged:
        key = f"{dataset}:{JUDGE}:{unjudged}"
        if not _is_known(instance, key):
            return _request(catalog, instance, dataset, JUDGE, key, "a round has failed after its training")
    new = labels_since_training(catalog, dataset) if after else 0
    if after and new >= after:
        key = f"{dataset}:{LEARN}:{training_of(catalog, dataset)}:{new // after}"
        if not _is_known(instance, key):
            return _request(catalog, instance, dataset, LEARN, key, f"{new:,} labels are new")
    if queue_is_used_up(catalog, dataset):
        history = catalog.history(QUEUE, dataset, limit=1)
        key = f"{dataset}:{ASK}:{history[0].id if history else 0}:{images.version}"
        if not _is_known(instance, key):
            return _request(catalog, instance, dataset, ASK, key, "people need something to label")
    return ""


def _request(
    catalog: Catalog, instance: DagsterInstance, dataset: str, job: str, key: str, reason: str
) -> RunRequest:
    """Ask for a run; what people have set about the newest model and queue stands for the next ones, too."""
    add_partition(instance, dataset)
    values = {asset: standing_parameters(catalog, asset, dataset, kind) for asset, kind in SET[job].items()}
    config = {"ops": {asset: {"config": given} for asset, given in values.items() if given}}
    return RunRequest(key, config, {"cv/reason": reason}, job_name=job, partition_key=dataset)


def _unjudged_model(catalog: Catalog, instance: DagsterInstance, dataset: str) -> str:
    """The newest model, where the round that has trained it failed before the gate; empty where it did not.

    One that a person has had trained alone is theirs to judge.
    """
    trained = catalog.history("trained_model", dataset, limit=1)
    run = instance.get_run_by_id(trained[0].run_id) if trained and trained[0].run_id else None
    if run is None or run.job_name != LEARN or run.status != DagsterRunStatus.FAILURE:
        return ""
    version = trained[0].reference.version
    judged = [*ledger(catalog.database, dataset), *ledger(catalog.database, dataset, "challenger")]
    return "" if any(one.model == version for one in judged) else version


def _is_known(instance: DagsterInstance, key: str) -> bool:
    """Whether a run was made for a key: it may have failed, and asking again makes none.

    One that was recorded and never launched, for the daemon was killed in between, is launched if asked for again.
    """
    return bool(instance.get_runs(RunsFilter(tags={RUN_KEY_TAG: key}, statuses=_LAUNCHED), limit=1))
