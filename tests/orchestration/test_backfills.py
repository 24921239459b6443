"""A backfill is asked for once, on SQLite and on Postgres."""

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest
from dagster import AssetKey, DagsterInstance
from dagster._core.execution.backfill import BulkActionStatus
from dagster._core.storage.tags import USER_TAG

from cv_pipelines.orchestration.backfills import Submission, Targets, submit_backfill
from tests.orchestration.conftest import World

PICTURES, NAMES = AssetKey("pictures"), AssetKey("names")


@pytest.fixture
def submit(instance: DagsterInstance, world: World) -> Callable[[Targets], Submission]:
    def submit(targets: Targets) -> Submission:
        return submit_backfill(instance, world.graph, targets, "a title", "a description", {USER_TAG: "ann"})

    return submit


def end(instance: DagsterInstance, backfill: str, status: BulkActionStatus) -> None:
    found = instance.get_backfill(backfill)
    assert found is not None
    instance.update_backfill(found.with_status(status))


def test_it_waits_for_the_daemon_with_each_assets_own_partitions(
    instance: DagsterInstance, submit: Callable[[Targets], Submission]
) -> None:
    submission = submit({PICTURES: ["b"], NAMES: ["a", "b"]})
    assert len(submission.id) <= 32
    assert not submission.existing
    found = instance.get_backfill(submission.id)
    assert found is not None
    assert found.status == BulkActionStatus.REQUESTED
    assert found.asset_backfill_data is not None
    targets = found.asset_backfill_data.target_subset.partitions_subsets_by_asset_key
    assert {key: set(subset.get_partition_keys()) for key, subset in targets.items()} == {
        PICTURES: {"b"},
        NAMES: {"a", "b"},
    }
    assert (found.title, found.description, found.user) == ("a title", "a description", "ann")
    assert set(instance.get_dynamic_partitions("dataset")) == {"a", "b"}


def test_asking_again_while_it_goes_on_returns_it(submit: Callable[[Targets], Submission]) -> None:
    first = submit({PICTURES: ["a", "b"]})
    assert submit({PICTURES: ["b", "a"]}) == replace(first, existing=True)
    assert submit({NAMES: ["a", "b"]}).id != first.id
    assert submit({PICTURES: ["a", "b", "c"]}).id != first.id


def test_once_it_has_ended_it_can_be_asked_for_again(
    instance: DagsterInstance, submit: Callable[[Targets], Submission]
) -> None:
    ids = []
    for status in ("COMPLETED_SUCCESS", "COMPLETED_FAILED", "FAILED", "CANCELED", "CANCELING"):
        submission = submit({PICTURES: ["a"]})
        assert not submission.existing
        ids.append(submission.id)
        end(instance, submission.id, BulkActionStatus(status))
    assert len(set(ids)) == 5


def test_what_is_still_to_come_in_a_larger_one_is_not_asked_for_twice(
    instance: DagsterInstance, submit: Callable[[Targets], Submission]
) -> None:
    larger = submit({PICTURES: ["a", "b"], NAMES: ["a", "b"]})
    assert submit({NAMES: ["b"]}) == replace(larger, existing=True)
    found = instance.get_backfill(larger.id)
    assert found is not None
    assert found.asset_backfill_data is not None
    data = found.asset_backfill_data
    made = data.target_subset.filter_asset_keys({PICTURES})
    progress = data.replace_requested_subset(data.target_subset)._replace(materialized_subset=made)
    instance.update_backfill(found._replace(asset_backfill_data=progress))
    assert submit({NAMES: ["a"]}) == replace(larger, existing=True)
    assert not submit({PICTURES: ["a"]}).existing, "that was made already: it is wanted again"


def test_many_at_once_make_one(instance: DagsterInstance, submit: Callable[[Targets], Submission]) -> None:
    number = 6
    barrier = threading.Barrier(number)
    submissions: list[Submission] = []

    def work() -> None:
        barrier.wait()
        submissions.append(submit({PICTURES: ["a"]}))

    threads = [threading.Thread(target=work) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(submissions) == number
    assert len(instance.get_backfills()) == 1
    assert {one.id for one in submissions} == {instance.get_backfills()[0].backfill_id}
    assert [one.existing for one in submissions].count(False) == 1
