"""Estimates from what earlier steps took."""

import time

import pytest
from dagster import (
    AssetExecutionContext,
    AssetKey,
    AssetMaterialization,
    DagsterInstance,
    MaterializeResult,
    asset,
    materialize,
)

from cv_pipelines.orchestration.durations import estimate, usual_seconds
from cv_pipelines.partitions import DATASETS
from tests.orchestration.conftest import World

SLOW, QUICK = AssetKey("slow"), AssetKey("quick")


@asset(partitions_def=DATASETS)
def slow(context: AssetExecutionContext) -> MaterializeResult[None]:
    """Takes its time, unless there is nothing to do."""
    unchanged = "unchanged" in context.run.tags
    time.sleep(0 if unchanged else 0.6)
    return MaterializeResult(metadata={"unchanged": unchanged})


def make(instance: DagsterInstance, partition: str, **tags: str) -> None:
    instance.add_dynamic_partitions("dataset", [partition])
    assert materialize([slow], instance=instance, partition_key=partition, tags=tags).success


def test_partitions_take_what_others_took_each(world: World) -> None:
    make(world.instance, "a")
    make(world.instance, "b")
    expected = estimate(world.instance, {SLOW: ["c", "d", "e"]})
    assert expected.seconds == pytest.approx(3 * (usual_seconds(world.instance, SLOW) or 0))
    assert expected.seconds > 3 * 0.6
    assert expected.unknown == []


def test_steps_that_found_nothing_to_do_count_only_where_there_is_no_other(world: World) -> None:
    make(world.instance, "a", unchanged="yes")
    idle = usual_seconds(world.instance, SLOW)
    make(world.instance, "b")
    make(world.instance, "b", unchanged="yes")
    make(world.instance, "b", unchanged="yes")
    assert idle is not None
    assert idle < 0.6 < (usual_seconds(world.instance, SLOW) or 0)


def test_an_asset_that_was_never_made_by_a_step_is_unknown(world: World) -> None:
    make(world.instance, "a")
    world.instance.report_runless_asset_event(AssetMaterialization(QUICK, partition="a"))
    expected = estimate(world.instance, {SLOW: ["a"], QUICK: ["a"]})
    assert expected.unknown == ["quick"]
    assert expected.seconds > 0.6
