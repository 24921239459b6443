"""Asking for the ingest of data sets whose sources have changed."""

import time
from collections.abc import Sequence
from functools import cache
from pathlib import PurePath

from dagster import (
    DagsterInstance,
    RunRequest,
    SensorDefinition,
    SensorEvaluationContext,
    SensorResult,
    SkipReason,
    sensor,
)
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition
from pydantic import BaseModel

from cv_pipelines.background import Background
from cv_pipelines.catalog import Catalog
from cv_pipelines.images.datasets import Dataset, list_datasets
from cv_pipelines.images.listing import listing_hash, read_listing
from cv_pipelines.images.manifest import LISTING
from cv_pipelines.images.sources.factory import open_source
from cv_pipelines.orchestration.instance import add_partition
from cv_pipelines.orchestration.local_runs import run_in_progress
from cv_pipelines.videos.video import VIDEOS
from resources.catalog import CatalogResource
from sensors.memory import read_memory

SECONDS = 20.0
"""No source is begun later in a tick, and none is waited for longer: Dagster ends a tick after 60 s."""


class Memory(BaseModel):
    """What a tick leaves to the next one, as its cursor.

    Attributes:
        last: the data set that was looked at last; the next tick begins behind it.
        seen: the listing of each source when it was looked at last.
    """

    last: str = ""
    seen: dict[str, str] = {}


def make_watch_sensor(job: UnresolvedAssetJobDefinition, seconds: float = SECONDS) -> SensorDefinition:
    """A sensor that looks at all sources by turns; off until switched on.

    Args:
        job: ingests one data set.
        seconds: how long a tick goes on to new sources, and how long it waits for one.
    """
    listings = Background(lambda source: listing_hash(read_listing(open_source(source))))

    @sensor(
        name="watch_sources",
        job=job,
        minimum_interval_seconds=30,
        description="Ingests a data set as soon as its source has changed and stays the same from tick to tick.",
    )
    def watch_sources(context: SensorEvaluationContext, catalog: CatalogResource) -> SensorResult:
        cat, memory = catalog.open(), read_memory(Memory, context.cursor)
        datasets = [dataset for dataset in list_datasets(cat.database) if is_watched(dataset)]
        memory.seen = {one.name: memory.seen[one.name] for one in datasets if one.name in memory.seen}
        requests, notes = [], []
        until = time.monotonic() + seconds
        for dataset in in_turn(datasets, memory.last):
            if time.monotonic() > until:
                break
            memory.last = dataset.name
            try:
                listing = listings.listing(dataset.source, seconds)
                settled = memory.seen.get(dataset.name) == listing
                memory.seen[dataset.name] = listing
                answer = judge(cat, context.instance, dataset, listing, settled)
            except Exception as error:  # noqa: BLE001 - it is told, and must not hamper the other sources
                answer = f"cannot be looked at: {error}"
                context.log.warning(f"{dataset.name} {answer}")
            if isinstance(answer, RunRequest):
                requests.append(answer)
            elif answer:
                notes.append(f"{dataset.name} {answer}")
        quiet = None if requests else SkipReason("; ".join(notes) or "No source has changed.")
        return SensorResult(requests, skip_reason=quiet, cursor=memory.model_dump_json())

    return watch_sources


def is_watched(dataset: Dataset) -> bool:
    """Say whether a data set follows a source that can be looked at all the time.

    One that a person has gone back in time with does not follow its source. A film has to be read whole to
    know its frames, and a table may name addresses of servers that are not ours.
    """
    suffix = PurePath(dataset.source.partition("#")[0]).suffix.lower()
    return not dataset.restored and suffix not in {".csv", *VIDEOS}


@cache
def empty_listing() -> str:
    """The hash of an empty source: more often a disk that is not mounted than a data set without images."""
    return listing_hash(LISTING.empty_table())


def in_turn(datasets: Sequence[Dataset], last: str) -> list[Dataset]:
    """Data sets by name, those behind `last` first."""
    return sorted(datasets, key=lambda dataset: (dataset.name <= last, dataset.name))


def judge(
    catalog: Catalog, instance: DagsterInstance, dataset: Dataset, listing: str, settled: bool
) -> RunRequest | str:
    """What to run, or why nothing is run (empty: nothing has changed).

    Args:
        catalog: where the manifest of the last ingest is.
        instance: where runs are.
        dataset: whose source was listed.
        listing: the hash of what is there.
        settled: whether it was the same when somebody looked before.
    """
    history = catalog.history("image_manifest", dataset.name, limit=1)
    if history and catalog.open(history[0].reference).facts.get("listing") == listing:  # at first there was none
        return ""
    if listing == empty_listing():
        return "has nothing in it any more: if that is no accident, use 'cv-pipelines dataset sync'"
    if not settled:
        return "has changed, and may still be changing"
    busy = run_in_progress(instance, dataset.name, queued=True)
    if busy is not None:
        return f"has changed, and run {busy} is at work on it"
    add_partition(instance, dataset.name)
    # a run key is good for one run, ever: a source that changes back and forth needs another each time
    key = f"{dataset.name}:{listing[:16]}:{history[0].id if history else 0}"
    return RunRequest(key, partition_key=dataset.name, tags={"cv/reason": "its source has changed"})
