"""Which assets and partitions a person means: by name, or by what Dagster knows of them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from difflib import get_close_matches

from dagster import AssetKey, DagsterEventType, DagsterInstance, DagsterRunStatus, RunsFilter
from dagster._core.asset_graph_view.asset_graph_view import AssetGraphView
from dagster._core.definitions.assets.graph.asset_graph import AssetGraph
from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleStatus
from dagster._core.definitions.temporal_context import TemporalContext

from cv_pipelines.errors import InputError
from cv_pipelines.images.datasets import Dataset
from cv_pipelines.partitions import DATASETS, VIDEOS


def find_assets(graph: AssetGraph, names: Sequence[str]) -> list[AssetKey]:
    """The assets of these names, each once.

    Raises:
        InputError: there is no such asset, or its partitions are not the data sets.
    """
    known = {key.to_user_string(): key for key in graph.materializable_asset_keys}
    for name in names:
        if name not in known:
            near = get_close_matches(name, known)
            hint = f"Did you mean {' or '.join(near)}?" if near else f"There are: {', '.join(sorted(known))}."
            raise InputError("no_asset", f"There is no asset '{name}'. {hint}")
        if graph.get(known[name]).partitions_def == VIDEOS:
            message = f"'{name}' is made video by video: 'cv-pipelines motion backfill' makes it."
            raise InputError("no_partitions", message)
        if graph.get(known[name]).partitions_def != DATASETS:
            raise InputError("no_partitions", f"'{name}' is not made data set by data set: it has no backfills.")
    return [known[name] for name in dict.fromkeys(names)]


def find_partitions(datasets: Sequence[Dataset], names: str) -> list[str]:
    """The data sets of these names, separated by commas, each once.

    Raises:
        InputError: there is no such data set, or nothing is named.
    """
    wanted = list(dict.fromkeys(name.strip() for name in names.split(",") if name.strip()))
    known = [dataset.name for dataset in datasets]
    unknown = [name for name in wanted if name not in known]
    if unknown or not wanted:
        what = f"There is no data set '{', '.join(unknown)}'." if unknown else "No data set is named."
        raise InputError("no_partition", f"{what} There are: {', '.join(known) or 'none yet'}.")
    return wanted


def missing(instance: DagsterInstance, asset: AssetKey, datasets: Sequence[Dataset]) -> list[str]:
    """The data sets for which an asset was never made.

    What was made for a removed one of the same name does not count.
    """
    made = instance.get_asset_event_summary_records(
        DagsterEventType.ASSET_MATERIALIZATION, asset_key=asset, ascending=True
    )
    newest = {record.partition: record.timestamp for record in made}
    return [one.name for one in datasets if newest.get(one.name, 0.0) < one.created_at.timestamp()]


def failed(instance: DagsterInstance, asset: AssetKey, datasets: Sequence[Dataset]) -> list[str]:
    """The data sets whose latest run was to make an asset, failed, and did not make it."""
    storage = instance.event_log_storage
    attempts = storage.get_latest_asset_partition_materialization_attempts_without_materializations(asset)
    latest = {one.name: attempts[one.name][0] for one in datasets if one.name in attempts}
    if not latest:
        return []
    runs = instance.get_runs(RunsFilter(run_ids=list(latest.values()), statuses=[DagsterRunStatus.FAILURE]))
    failures = {run.run_id for run in runs}
    return [name for name, run_id in latest.items() if run_id in failures]


def stale(instance: DagsterInstance, graph: AssetGraph, asset: AssetKey, datasets: Sequence[Dataset]) -> list[str]:
    """The data sets for which Dagster says that an asset is older than its inputs or its code."""
    now = TemporalContext(effective_dt=datetime.now(UTC), last_event_id=None)
    view = AssetGraphView(temporal_context=now, instance=instance, asset_graph=graph)
    resolver = CachingStaleStatusResolver(instance, graph, view)
    absent = missing(instance, asset, datasets)
    present = [dataset.name for dataset in datasets if dataset.name not in absent]
    return [name for name in present if resolver.get_status(asset, name) == StaleStatus.STALE]
