"""Backfills: partitions of assets made again by the daemon, exactly as if the UI had asked for them.

A backfill is a row of the instance. The daemon finds it, launches a run for each partition, records how
far it has come, goes on after a restart, and cancels its runs when somebody cancels it.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dagster import AssetKey, DagsterInstance, DynamicPartitionsDefinition
from dagster._core.definitions.assets.graph.asset_graph import AssetGraph
from dagster._core.definitions.assets.graph.asset_graph_subset import AssetGraphSubset
from dagster._core.definitions.events import AssetKeyPartitionKey
from dagster._core.execution.asset_backfill import AssetBackfillData
from dagster._core.execution.backfill import BulkActionsFilter, BulkActionStatus, PartitionBackfill
from dagster._time import get_current_timestamp
from sqlalchemy.exc import IntegrityError

from cv_pipelines.hashing import hash_values

Targets = Mapping[AssetKey, Sequence[str]]
"""What to make: partitions by asset, none of them empty."""

TARGETS = "cv/targets"
"""Tag of a backfill: a hash of its targets."""


@dataclass(frozen=True)
class Submission:
    """A backfill that makes what was asked for; `existing`: it was there already."""

    id: str
    existing: bool


def submit_backfill(
    instance: DagsterInstance,
    graph: AssetGraph,
    targets: Targets,
    title: str,
    description: str,
    tags: Mapping[str, str],
    config: Mapping[str, Any] | None = None,
) -> Submission:
    """Record a backfill for the daemon, unless one that has not finished makes the same.

    Two at once agree on one: both count the same earlier ones, so both take the same id, and the
    instance takes an id only once.

    Args:
        instance: where to record it.
        graph: all assets.
        targets: what to make.
        title: shown in the UI; no `%`, `*` or `"`, at most 100 characters.
        description: shown in the UI.
        tags: of the backfill and of all its runs.
        config: of all its runs.
    """
    digest = _hash(targets, config)
    # counted before we look for others: one that is added in between is found, or has our id
    earlier = instance.get_backfills_count(BulkActionsFilter(tags={TARGETS: digest}))
    unfinished = find_unfinished(instance, targets, config)
    if unfinished is not None:
        return Submission(unfinished, existing=True)
    _add_partitions(instance, graph, targets)
    backfill = PartitionBackfill.from_asset_graph_subset(
        backfill_id=f"{digest}-{earlier + 1}",
        backfill_timestamp=get_current_timestamp(),
        tags={**tags, TARGETS: digest},
        dynamic_partitions_store=instance,
        asset_graph_subset=AssetGraphSubset.from_asset_partition_set(_pairs(targets), graph),
        title=title,
        description=description,
        run_config=config or None,
    )
    try:
        instance.add_backfill(backfill)
    except IntegrityError:
        return Submission(backfill.backfill_id, existing=True)
    return Submission(backfill.backfill_id, existing=False)


def find_unfinished(
    instance: DagsterInstance, targets: Targets, config: Mapping[str, Any] | None = None
) -> str | None:
    """The id of a backfill, ours or the UI's, that has not finished and makes all of this, None without one.

    It was asked for the same, or what is asked for is still to come in it, with the same configuration. One that
    is being cancelled makes nothing more.
    """
    wanted = _pairs(targets)
    for backfill in instance.get_backfills(BulkActionsFilter(statuses=[BulkActionStatus.REQUESTED])):
        data = backfill.asset_backfill_data
        if data is not None and (backfill.run_config or None) == (config or None) and _makes(data, wanted):
            return backfill.backfill_id
    return None


def still_to_come(data: AssetBackfillData) -> set[AssetKeyPartitionKey]:
    """What a backfill has neither made nor failed to make."""
    done = (data.materialized_subset, data.failed_and_downstream_subset)
    return set(data.target_subset.iterate_asset_partitions()).difference(
        *(subset.iterate_asset_partitions() for subset in done)
    )


def _makes(data: AssetBackfillData, wanted: set[AssetKeyPartitionKey]) -> bool:
    return wanted == set(data.target_subset.iterate_asset_partitions()) or wanted <= still_to_come(data)


def _pairs(targets: Targets) -> set[AssetKeyPartitionKey]:
    return {AssetKeyPartitionKey(asset, name) for asset, names in targets.items() for name in names}


def _add_partitions(instance: DagsterInstance, graph: AssetGraph, targets: Targets) -> None:
    wanted: defaultdict[str, set[str]] = defaultdict(set)
    for asset, names in targets.items():
        definition = graph.get(asset).partitions_def
        if isinstance(definition, DynamicPartitionsDefinition):
            wanted[str(definition.name)].update(names)
    for name, partitions in wanted.items():
        instance.add_dynamic_partitions(name, sorted(partitions))


def _hash(targets: Targets, config: Mapping[str, Any] | None) -> str:
    """20 hexadecimal digits: with a number behind them an id must not exceed 32 characters."""
    wanted = {asset.to_user_string(): sorted(names) for asset, names in targets.items()}
    return hash_values({"targets": wanted, "config": config} if config else wanted)[:20]
