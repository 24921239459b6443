"""Old runs go by themselves; what the UI shows of the present stays."""

from collections.abc import Callable
from pathlib import Path

import pytest
from dagster import (
    AssetCheckKey,
    AssetCheckResult,
    AssetExecutionContext,
    AssetKey,
    AssetMaterialization,
    DagsterInstance,
    DagsterRunStatus,
    Definitions,
    OpExecutionContext,
    asset,
    asset_check,
    job,
    op,
)

from cv_pipelines.orchestration import old_runs
from cv_pipelines.orchestration.old_runs import delete_old_runs
from cv_pipelines.partitions import DATASETS

Make = Callable[..., str]
LONG, NONE = 1000.0, -1.0
"""Days: nothing is that old, and everything; Dagster tells time by the server's zone, which is Tokyo."""


@op
def nothing() -> None: ...


@job
def exercise() -> None:
    nothing()


@asset(partitions_def=DATASETS)
def pictures(context: AssetExecutionContext) -> None:
    print("printed")
    if "fail" in context.run.tags:
        raise RuntimeError("as it was told to")


@asset(partitions_def=DATASETS, deps=[pictures])
def names() -> None: ...


@asset_check(asset=pictures)
def looks_well(context: OpExecutionContext) -> AssetCheckResult:
    return AssetCheckResult(passed=True)


DEFS = Definitions(assets=[pictures, names], asset_checks=[looks_well])


@pytest.fixture
def make(instance: DagsterInstance) -> Make:
    """Make assets of a partition; returns the run's id."""

    def make(partition: str, *assets: str, tags: dict[str, str] | None = None) -> str:
        instance.add_dynamic_partitions("dataset", [partition])
        done = DEFS.resolve_implicit_global_asset_job_def().execute_in_process(
            instance=instance,
            partition_key=partition,
            asset_selection=[AssetKey(name) for name in assets] or None,
            tags=tags,
            raise_on_error=False,
        )
        return done.run_id

    return make


def ids(instance: DagsterInstance) -> set[str]:
    return {run.run_id for run in instance.get_runs()}


def test_runs_of_tasks_go_by_their_own_age_and_a_few_at_a_time(instance: DagsterInstance, tmp_path: Path) -> None:
    for _ in range(3):
        exercise.execute_in_process(instance=instance)
    at_work = instance.create_run_for_job(exercise, status=DagsterRunStatus.STARTED).run_id
    assert delete_old_runs(instance, LONG, NONE, 10, tmp_path) == 0

    numbers = [delete_old_runs(instance, NONE, LONG, 2, tmp_path) for _ in range(3)]

    assert numbers == [2, 1, 0]
    assert ids(instance) == {at_work}


def test_a_run_stays_while_something_current_is_from_it(
    instance: DagsterInstance, make: Make, tmp_path: Path
) -> None:
    oldest = make("a")  # superseded in everything
    names_of_a, failed = make("a"), make("a", "pictures", tags={"fail": "yes"})
    pictures_of_a, all_of_b = make("a", "pictures"), make("b")
    at_work = instance.create_run_for_job(exercise, status=DagsterRunStatus.STARTED).run_id
    assert delete_old_runs(instance, LONG, LONG, 10, tmp_path) == 0

    assert delete_old_runs(instance, LONG, NONE, 10, tmp_path) == 2

    assert ids(instance) == {names_of_a, pictures_of_a, all_of_b, at_work}
    assert not {oldest, failed} & ids(instance)
    storage = instance.event_log_storage
    assert instance.get_materialized_partitions(AssetKey("pictures")) == {"a", "b"}
    check = AssetCheckKey(AssetKey("pictures"), "looks_well")
    history = storage.get_asset_check_execution_history(check, limit=10)
    assert {one.run_id for one in history} <= ids(instance)
    assert storage.get_latest_asset_check_execution_by_key([check])[check].run_id == all_of_b
    assert delete_old_runs(instance, LONG, NONE, 10, tmp_path) == 0


def test_what_an_asset_without_partitions_shows_stays(instance: DagsterInstance, tmp_path: Path) -> None:
    @op
    def tell(context: OpExecutionContext) -> None:
        context.log_event(AssetMaterialization("summary"))

    @job
    def telling() -> None:
        tell()

    made = [telling.execute_in_process(instance=instance).run_id for _ in range(3)]

    assert delete_old_runs(instance, LONG, NONE, 10, tmp_path) == 2
    assert ids(instance) == {made[-1]}


def test_logs_go_with_a_run(instance: DagsterInstance, make: Make, tmp_path: Path) -> None:
    old, new = make("a"), make("a")
    (tmp_path / f"{old}.log").write_text("printed by a command")
    (tmp_path / f"{new}.log").write_text("printed by a command")

    delete_old_runs(instance, LONG, NONE, 10, tmp_path)

    assert [path.stem for path in tmp_path.glob("*.log")] == [new]
    folders = {path.parent.name for path in tmp_path.rglob("compute_logs") if path.parent.parent.name == "storage"}
    assert folders == {new}


def test_many_that_must_stay_hide_none_that_may_go(
    instance: DagsterInstance, make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(old_runs, "_PAGE", 3)
    stay = {make(f"set-{number}") for number in range(8)}
    first, last = make("other"), make("other")
    stay.add(last)

    assert delete_old_runs(instance, LONG, NONE, 1, tmp_path) == 1

    assert first not in ids(instance)
    assert ids(instance) == stay
