"""Sources are watched: real folders, an instance and a catalog of the test's own."""

import shutil
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from dagster import (
    DagsterInstance,
    DagsterRunStatus,
    RunRequest,
    SensorDefinition,
    SensorResult,
    SkipReason,
    build_sensor_context,
)

from cv_pipelines.catalog import Catalog
from cv_pipelines.images.datasets import Dataset, add_dataset, find_dataset
from cv_pipelines.images.ingest import ingest
from cv_pipelines.images.sources.factory import open_source
from cv_pipelines.images.versions import keep_version
from cv_pipelines.jobs import loop, sync
from resources.catalog import CatalogResource
from resources.database import DatabaseResource
from resources.store import StoreResource
from sensors.watch_sources import in_turn, make_watch_sensor


@dataclass
class World:
    """Data sets and the sensor that watches their sources, from tick to tick."""

    folder: Path
    resource: CatalogResource
    instance: DagsterInstance
    write: Callable[..., Path]
    sensor: SensorDefinition = field(default_factory=lambda: make_watch_sensor(sync))
    cursor: str | None = None
    skipped: str = ""

    @property
    def catalog(self) -> Catalog:
        return self.resource.open()

    def add(self, name: str, source: str = "") -> Dataset:
        """A data set with one picture."""
        self.write(self.folder / name / "disc" / "1.png")
        return add_dataset(self.catalog.database, name, source or str(self.folder / name))

    def tick(self) -> list[RunRequest]:
        """What the sensor asks for now; why it asks for nothing is in `skipped`."""
        resources = {"catalog": self.resource}
        with build_sensor_context(self.instance, cursor=self.cursor, resources=resources) as context:
            result = self.sensor(context)
        assert isinstance(result, SensorResult)
        self.cursor = result.cursor
        reason = result.skip_reason
        self.skipped = str(reason.skip_message) if isinstance(reason, SkipReason) else ""
        return list(result.run_requests or [])

    def settle(self) -> list[RunRequest]:
        """Two ticks; the first asks for nothing."""
        assert self.tick() == []
        return self.tick()

    def ingest(self, name: str) -> None:
        """What the job `sync` does."""
        source = open_source(find_dataset(self.catalog.database, name).source)
        self.catalog.publish("image_manifest", name, ingest(self.catalog, source, workers=1).reference)


@pytest.fixture
def world(tmp_path: Path, write_image: Callable[..., Path]) -> Iterator[World]:
    database = DatabaseResource(url=f"sqlite:///{tmp_path / 'cv.sqlite'}")
    resource = CatalogResource(database=database, store=StoreResource(url=(tmp_path / "store").as_uri()))
    with DagsterInstance.ephemeral() as instance:
        yield World(tmp_path / "sources", resource, instance, write_image)


def partitions(requests: list[RunRequest]) -> list[str | None]:
    return [request.partition_key for request in requests]


def test_a_changed_source_is_ingested_once_it_has_settled(world: World) -> None:
    world.add("flowers")
    assert world.tick() == []
    assert world.skipped == "flowers has changed, and may still be changing"
    world.write(world.folder / "flowers" / "disc" / "2.png", seed=2)
    assert world.tick() == [], "a file has come since"
    assert partitions(world.tick()) == ["flowers"]
    assert world.instance.get_dynamic_partitions("dataset") == ["flowers"]
    world.ingest("flowers")
    assert world.tick() == []
    assert world.skipped == "No source has changed."


def test_what_was_asked_for_is_not_asked_for_twice(world: World) -> None:
    world.add("flowers")
    (first,) = world.settle()
    (again,) = world.tick()
    assert first.run_key == again.run_key, "Dagster makes no second run of a key"


def test_a_source_that_changes_back_and_forth_is_ingested_each_time(world: World) -> None:
    world.add("flowers")
    extra = world.folder / "flowers" / "disc" / "2.png"
    keys = [world.settle()[0].run_key]
    world.ingest("flowers")
    for _ in range(2):
        world.write(extra, seed=2)
        keys.append(world.settle()[0].run_key)
        world.ingest("flowers")
        extra.unlink()
        keys.append(world.settle()[0].run_key)
        world.ingest("flowers")
    assert len(set(keys)) == 5


def test_nothing_is_asked_for_while_a_run_is_at_work_on_the_data_set(world: World) -> None:
    world.add("flowers")
    world.add("parts")
    world.instance.add_dynamic_partitions("dataset", ["flowers"])
    from cv_pipelines.definitions import defs

    job = defs.resolve_job_def(loop.name)
    tags = {"dagster/partition": "flowers"}
    run = world.instance.create_run_for_job(job, status=DagsterRunStatus.STARTED, tags=tags)
    assert partitions(world.settle()) == ["parts"]
    world.ingest("parts")
    assert world.tick() == []
    assert world.skipped == f"flowers has changed, and run {run.run_id} is at work on it"
    world.instance.report_run_failed(run)
    assert partitions(world.tick()) == ["flowers"]


def test_a_source_that_is_gone_is_told_and_hampers_nobody(world: World) -> None:
    world.add("alpha")
    world.add("beta")
    shutil.rmtree(world.folder / "alpha")
    assert partitions(world.settle()) == ["beta"]
    world.ingest("beta")
    assert world.tick() == []
    assert world.skipped.startswith("alpha cannot be looked at: ")
    assert str(world.folder / "alpha") in world.skipped


def test_an_emptied_source_is_left_to_a_person(world: World) -> None:
    world.add("flowers")
    world.ingest("flowers")
    shutil.rmtree(world.folder / "flowers" / "disc")
    assert world.settle() == []
    assert "flowers has nothing in it any more" in world.skipped


def test_a_data_set_that_was_restored_stays_as_it_is(world: World) -> None:
    world.add("flowers")
    keep_version(world.catalog.database, "flowers", "1234")
    assert world.settle() == []
    keep_version(world.catalog.database, "flowers", None)
    assert partitions(world.settle()) == ["flowers"]


def test_a_server_that_hangs_holds_up_one_tick_only(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from cv_pipelines.storage.s3_client import s3_client

    with socket.create_server(("127.0.0.1", 0)) as silent:  # it accepts, and never answers
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{silent.getsockname()[1]}")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        s3_client.cache_clear()
        world.sensor = make_watch_sensor(sync, seconds=0.5)
        world.add("alpha", "s3://bucket/prefix")
        world.add("beta")
        assert world.tick() == []
        assert world.skipped == "alpha cannot be looked at: listing it takes long, and goes on"
        assert world.tick() == [], "beta is seen for the first time"
        assert partitions(world.tick()) == ["beta"], "alpha is not waited for again"
    s3_client.cache_clear()


def test_turns_begin_behind_the_one_that_was_last(world: World) -> None:
    found = [world.add(name) for name in ("alpha", "beta", "gamma")]
    assert [one.name for one in in_turn(found, "alpha")] == ["beta", "gamma", "alpha"]
    assert [one.name for one in in_turn(found, "b")] == ["beta", "gamma", "alpha"]
    assert [one.name for one in in_turn(found, "")] == ["alpha", "beta", "gamma"]


def test_a_spoiled_cursor_is_forgotten(world: World) -> None:
    world.add("flowers")
    world.cursor = "spoiled"
    assert partitions(world.settle()) == ["flowers"]


def test_it_is_off_until_somebody_switches_it_on_and_looks_every_half_minute(world: World) -> None:
    assert world.sensor.default_status.value == "STOPPED"
    assert world.sensor.minimum_interval_seconds == 30
    assert [target.job_name for target in world.sensor.targets] == ["sync"]
