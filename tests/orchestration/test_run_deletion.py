"""Who stands in the way of a deletion, and what goes with a run."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from dagster import AssetKey, AssetMaterialization, DagsterInstance, DagsterRunStatus, In, Nothing, job, op
from dagster._core.storage.tags import PARTITION_NAME_TAG
from dagster._core.test_utils import create_run_for_test

from cv_pipelines.errors import InputError
from cv_pipelines.orchestration.run_deletion import delete_runs, require_no_runs, require_quiet, runs_of

Ask = Callable[..., None]


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[DagsterInstance]:
    with DagsterInstance.local_temp(str(tmp_path)) as instance:
        yield instance


def is_busy(ask: Ask, *arguments: object) -> bool:
    with suppress(InputError):
        ask(*arguments)
        return False
    return True


def test_an_ingest_is_in_everybodys_way_and_what_follows_in_its_own_data_sets(instance: DagsterInstance) -> None:
    seen: dict[str, tuple[bool, bool]] = {}

    def look(step: str) -> None:
        seen[step] = is_busy(require_quiet, instance, ["pets"]), is_busy(require_quiet, instance, ["other"])

    @op
    def image_manifest() -> None:
        look("image_manifest")

    @op(ins={"after": In(Nothing)})
    def labels() -> None:
        look("labels")

    @job
    def both() -> None:
        labels(image_manifest())

    @job
    def only_labels() -> None:
        labels()

    both.execute_in_process(instance=instance, tags={PARTITION_NAME_TAG: "pets"})
    assert seen == {"image_manifest": (True, True), "labels": (True, False)}
    only_labels.execute_in_process(instance=instance, tags={PARTITION_NAME_TAG: "pets"})
    assert seen["labels"] == (True, False)


@pytest.mark.parametrize(
    ("status", "busy"),
    [
        (DagsterRunStatus.NOT_STARTED, False),
        (DagsterRunStatus.STARTING, True),
        (DagsterRunStatus.STARTED, True),
        (DagsterRunStatus.CANCELING, True),
        (DagsterRunStatus.SUCCESS, False),
        (DagsterRunStatus.FAILURE, False),
    ],
)
def test_only_runs_at_work_are_in_the_way(instance: DagsterInstance, status: DagsterRunStatus, busy: bool) -> None:
    create_run_for_test(instance, status=status, tags={PARTITION_NAME_TAG: "pets"})

    assert is_busy(require_quiet, instance, ["pets"]) is busy
    assert is_busy(require_no_runs, instance) is busy


def test_no_picture_of_a_deleted_run_is_left(instance: DagsterInstance, tmp_path: Path) -> None:
    picture = "![preview](data:image/jpeg;base64,U29tZWJvZHk)"

    @op
    def show(context) -> None:  # type: ignore[no-untyped-def]
        print("the shown")
        context.log_event(
            AssetMaterialization(AssetKey("image_manifest"), partition="pets", metadata={"preview": picture})
        )

    @job
    def showing() -> None:
        show()

    run = showing.execute_in_process(instance=instance, tags={PARTITION_NAME_TAG: "pets"}).run_id
    kept = showing.execute_in_process(instance=instance, tags={PARTITION_NAME_TAG: "cars"}).run_id
    last = showing.execute_in_process(instance=instance, tags={PARTITION_NAME_TAG: "pets"}).run_id
    (tmp_path / "logs").mkdir()
    for one in (run, kept):
        (tmp_path / "logs" / f"{one}.log").write_text("printed")
    assert runs_of(instance, "pets") == [last, run]

    delete_runs(instance, runs_of(instance, "pets"), tmp_path / "logs")

    assert [one.run_id for one in instance.get_runs()] == [kept]
    assert not [path for path in tmp_path.rglob("*") if run in path.name or last in path.name]
    event = instance.get_latest_materialization_event(AssetKey("image_manifest"))
    assert event is not None
    assert event.run_id == kept
    assert [path.stem for path in (tmp_path / "logs").iterdir()] == [kept]
    delete_runs(instance, [kept], tmp_path / "logs")
    assert instance.get_latest_materialization_event(AssetKey("image_manifest")) is None
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and b"U29tZWJvZHk" in path.read_bytes()]
