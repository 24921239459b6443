"""Videos are analysed by backfills, and nobody asks twice for what is on its way; on SQLite and on Postgres."""

import pytest
from dagster import AssetKey, Config, DagsterInstance, DagsterRunStatus, Definitions, asset, define_asset_job
from dagster._core.definitions.assets.graph.asset_graph import AssetGraph
from dagster._core.definitions.assets.graph.asset_graph_subset import AssetGraphSubset
from dagster._core.definitions.events import AssetKeyPartitionKey
from dagster._core.execution.backfill import BulkActionStatus

from cv_pipelines.errors import InputError
from cv_pipelines.orchestration.asset_partitions import find_assets
from cv_pipelines.orchestration.backfills import Submission
from cv_pipelines.orchestration.video_backfills import JOB, submit_videos, under_way, video_targets
from cv_pipelines.partitions import DATASETS, VIDEOS


class Force(Config):
    force: bool = False


@asset(partitions_def=VIDEOS)
def camera_motion(config: Force) -> None:
    """Stands for the real one."""


@asset(partitions_def=VIDEOS, deps=[camera_motion])
def motion_regions(config: Force) -> None:
    """Stands for the real one."""


@asset(partitions_def=DATASETS)
def labels() -> None:
    """Made of a data set."""


MOTION, REGIONS = AssetKey("camera_motion"), AssetKey("motion_regions")
DEFS = Definitions(
    assets=[camera_motion, motion_regions, labels], jobs=[define_asset_job(JOB, [camera_motion, motion_regions])]
)


@pytest.fixture
def graph() -> AssetGraph:
    return DEFS.resolve_asset_graph()


def submit(instance: DagsterInstance, graph: AssetGraph, *keys: str, force: bool = False) -> Submission:
    return submit_videos(instance, graph, keys, "a command", "ann", force)


def test_what_is_made_video_by_video_is_all_that_is_asked_for(
    instance: DagsterInstance, graph: AssetGraph
) -> None:
    submission = submit(instance, graph, "a", "b")

    found = instance.get_backfill(submission.id)
    assert found is not None
    assert found.asset_backfill_data is not None
    assert {
        asset: set(subset.get_partition_keys())
        for asset, subset in found.asset_backfill_data.target_subset.partitions_subsets_by_asset_key.items()
    } == {MOTION: {"a", "b"}, REGIONS: {"a", "b"}}
    assert set(instance.get_dynamic_partitions("video")) == {"a", "b"}
    assert instance.get_dynamic_partitions("dataset") == []
    assert submit(instance, graph, "b", "a") == Submission(submission.id, existing=True)


def test_who_insists_gets_another_one_that_steps_are_told_of(instance: DagsterInstance, graph: AssetGraph) -> None:
    usual, forced = submit(instance, graph, "a"), submit(instance, graph, "a", force=True)

    found = instance.get_backfill(forced.id)
    assert found is not None
    assert found.run_config == {
        "ops": {"camera_motion": {"config": {"force": True}}, "motion_regions": {"config": {"force": True}}}
    }
    assert DEFS.resolve_job_def(JOB).execute_in_process(
        run_config=dict(found.run_config), instance=instance, partition_key="a"
    )
    assert (forced.existing, forced.id != usual.id) == (False, True)
    assert submit(instance, graph, "a", force=True) == Submission(forced.id, existing=True)
    assert submit(instance, graph, "a") == Submission(usual.id, existing=True)


def test_what_is_on_its_way_is_known(instance: DagsterInstance, graph: AssetGraph) -> None:
    assert under_way(instance) == set()
    submission = submit(instance, graph, "a", "b")
    assert under_way(instance) == {"a", "b"}

    found = instance.get_backfill(submission.id)
    assert found is not None
    data = found.asset_backfill_data
    assert data is not None
    made = AssetGraphSubset.from_asset_partition_set({AssetKeyPartitionKey(MOTION, "a")}, graph)
    failed = AssetGraphSubset.from_asset_partition_set({AssetKeyPartitionKey(MOTION, "b")}, graph)
    instance.update_backfill(found._replace(asset_backfill_data=data._replace(materialized_subset=made)))
    assert under_way(instance) == {"b"}
    ended = data._replace(materialized_subset=made, failed_and_downstream_subset=failed)
    instance.update_backfill(found._replace(asset_backfill_data=ended))
    assert under_way(instance) == set()
    instance.update_backfill(found)
    assert under_way(instance) == {"a", "b"}
    instance.update_backfill(found.with_status(BulkActionStatus.CANCELED))
    assert under_way(instance) == set()

    run = instance.create_run_for_job(
        DEFS.resolve_job_def(JOB), status=DagsterRunStatus.STARTED, tags={"dagster/partition": "c"}
    )
    assert under_way(instance) == {"c"}
    instance.report_run_failed(run)
    assert under_way(instance) == set()


def test_six_thousand_are_one_backfill(instance: DagsterInstance, graph: AssetGraph) -> None:
    keys = [f"{number}~0123456789ab" for number in range(6700)]

    submission = submit(instance, graph, *keys)

    assert under_way(instance) == set(keys)
    assert submit(instance, graph, *keys) == Submission(submission.id, existing=True)
    assert len(video_targets(graph, keys)) == 2


def test_backfills_of_data_sets_leave_videos_to_their_own_command(graph: AssetGraph) -> None:
    with pytest.raises(InputError, match="cv-pipelines motion backfill"):
        find_assets(graph, ["camera_motion"])
