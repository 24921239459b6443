"""Having videos of the archive analysed: one backfill of all that is made video by video."""

from collections.abc import Mapping, Sequence
from typing import Any

from dagster import AssetKey, DagsterInstance, RunsFilter
from dagster._core.definitions.assets.graph.asset_graph import AssetGraph
from dagster._core.execution.backfill import BulkActionsFilter, BulkActionStatus
from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES
from dagster._core.storage.tags import PARTITION_NAME_TAG, USER_TAG

from cv_pipelines.motion.results import MOTION
from cv_pipelines.orchestration.backfills import Submission, Targets, still_to_come, submit_backfill
from cv_pipelines.partitions import VIDEOS

JOB = "analyse_motion"


def video_targets(graph: AssetGraph, keys: Sequence[str]) -> Targets:
    """All assets that are made video by video, those of the job `analyse_motion`, for some videos."""
    return dict.fromkeys(_assets(graph), keys)


def force_config(graph: AssetGraph) -> Mapping[str, Any]:
    """What has the steps of all these assets done again though they are done."""
    return {"ops": {asset.to_python_identifier(): {"config": {"force": True}} for asset in _assets(graph)}}


def submit_videos(
    instance: DagsterInstance, graph: AssetGraph, keys: Sequence[str], command: str, user: str, force: bool = False
) -> Submission:
    """Record a backfill that analyses videos, unless one that has not finished does.

    Args:
        instance: where to record it.
        graph: all assets.
        keys: of the videos.
        command: what a person has typed.
        user: who that was.
        force: do again what is done.
    """
    title = f"camera motion: {len(keys):,} videos"
    config = force_config(graph) if force else None
    return submit_backfill(instance, graph, video_targets(graph, keys), title, command, {USER_TAG: user}, config)


def under_way(instance: DagsterInstance) -> set[str]:
    """Keys of the videos whose motion an unfinished backfill or run is about to make, or makes."""
    asset = AssetKey(MOTION)
    keys: set[str] = set()
    for backfill in instance.get_backfills(BulkActionsFilter(statuses=[BulkActionStatus.REQUESTED])):
        data = backfill.asset_backfill_data
        wanted = still_to_come(data) if data else ()
        keys.update(str(one.partition_key) for one in wanted if one.asset_key == asset)
    runs = instance.get_runs(RunsFilter(job_name=JOB, statuses=NOT_FINISHED_STATUSES))
    return keys.union(run.tags.get(PARTITION_NAME_TAG, "") for run in runs)


def _assets(graph: AssetGraph) -> list[AssetKey]:
    return sorted(key for key in graph.materializable_asset_keys if graph.get(key).partitions_def == VIDEOS)
