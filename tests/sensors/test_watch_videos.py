"""Folders and prefixes are watched: real files, an instance and a catalog of the test's own."""

import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass
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
from cv_pipelines.jobs import analyse_motion
from cv_pipelines.storage.s3_client import s3_client
from cv_pipelines.videos.archive import count_archive, find_video_of_archive, quarantine, remove_video, video_key
from resources.catalog import CatalogResource
from resources.database import DatabaseResource
from resources.store import StoreResource
from sensors.watch_videos import make_video_sensor
from tests.motion.archives import analyse
from tests.servers import S3


@dataclass
class World:
    """A folder, and the sensor that watches it, from tick to tick."""

    folder: Path
    resource: CatalogResource
    instance: DagsterInstance
    sensor: SensorDefinition
    cursor: str | None = None
    skipped: str = ""

    @property
    def catalog(self) -> Catalog:
        return self.resource.open()

    def write(self, name: str, content: str = "a film") -> str:
        """Write what is named as a video; returns its key."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        return video_key(str(path))

    def watch(self, *sources: str, **limits: float) -> None:
        self.sensor = make_video_sensor(analyse_motion, sources, **limits)  # type: ignore[arg-type]

    def tick(self) -> list[str]:
        """The videos that the sensor asks for now; why it asks for none is in `skipped`."""
        return [str(request.partition_key) for request in self.requests()]

    def requests(self) -> list[RunRequest]:
        with build_sensor_context(
            self.instance, cursor=self.cursor, resources={"catalog": self.resource}
        ) as context:
            result = self.sensor(context)
        if isinstance(result, SkipReason):
            self.skipped = str(result.skip_message)
            return []
        assert isinstance(result, SensorResult)
        self.cursor = result.cursor
        reason = result.skip_reason
        self.skipped = str(reason.skip_message) if isinstance(reason, SkipReason) else ""
        return list(result.run_requests or [])

    def settle(self) -> list[str]:
        """Two ticks; the first asks for nothing."""
        assert self.tick() == []
        return self.tick()

    def start(self, key: str) -> None:
        """A run of the job that is at work on a video."""
        from cv_pipelines.definitions import defs

        job = defs.resolve_job_def(analyse_motion.name)
        tags = {"dagster/partition": key}
        self.instance.create_run_for_job(job, status=DagsterRunStatus.STARTED, tags=tags)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    database = DatabaseResource(url=f"sqlite:///{tmp_path / 'cv.sqlite'}")
    resource = CatalogResource(database=database, store=StoreResource(url=(tmp_path / "store").as_uri()))
    folder = tmp_path / "films"
    folder.mkdir()
    with DagsterInstance.ephemeral() as instance:
        yield World(folder, resource, instance, make_video_sensor(analyse_motion, [str(folder)]))


def test_a_video_is_analysed_once_it_has_settled(world: World) -> None:
    key = world.write("2018/a.mp4")
    assert world.tick() == []
    assert "1 are new, and may still be changing" in world.skipped
    world.write("2018/a.mp4", "a film that is still being written")
    assert world.tick() == [], "it has grown since"
    assert world.tick() == [key]
    assert world.instance.get_dynamic_partitions("video") == [key]
    analyse(world.catalog, key)
    assert world.tick() == []
    assert world.skipped == "No video is new or has changed."


def test_what_was_asked_for_is_not_asked_for_twice(world: World) -> None:
    world.write("a.mp4")
    assert world.tick() == []

    (first,), (again,) = world.requests(), world.requests()
    assert first.run_key == again.run_key, "Dagster makes no second run of a key"
    world.start(str(first.partition_key))
    assert world.tick() == []


def test_each_version_is_asked_for_by_a_key_of_its_own(world: World) -> None:
    key = world.write("a.mp4")
    keys = set()
    for time in (1, 2, 1, 2):
        os.utime(world.folder / "a.mp4", (time, time))
        assert world.tick() == []
        (request,) = world.requests()
        keys.add(request.run_key)
        analyse(world.catalog, key, frames=len(keys))
    remove_video(world.catalog.database, key)
    assert world.tick() == []
    keys.add(world.requests()[0].run_key)

    assert len(keys) == 5


def test_a_bad_video_is_not_asked_for_until_its_file_changes(world: World) -> None:
    key = world.write("a.mp4")
    assert world.settle() == [key]
    quarantine(
        world.catalog.database,
        key,
        "It is cut off.",
        find_video_of_archive(world.catalog.database, key).stamp,
    )
    assert world.settle() == []

    world.write("a.mp4", "all of the film")

    assert world.settle() == [key]


def test_a_run_is_asked_for_as_long_as_there_is_room_and_every_video_has_its_turn(world: World) -> None:
    keys = {world.write(f"{number}.mp4") for number in range(5)}
    world.watch(str(world.folder), most=2)

    assert world.tick() == []
    asked = [world.tick() for _ in range(3)]

    assert [len(some) for some in asked] == [2, 2, 2]
    assert {key for some in asked for key in some} == keys, "those that never come to anything hold up nobody"
    for key in asked[0]:
        world.start(key)
    assert world.tick() == []
    assert world.skipped == "3 videos wait until one of 2 runs has ended"


def test_ten_thousand_videos_leave_a_small_cursor(world: World) -> None:
    for number in range(10_000):
        (world.folder / f"{number}.mp4").touch()

    assert world.tick() == []
    asked = world.tick()

    assert count_archive(world.catalog.database) == 10_000
    assert len(set(asked)) == 20
    assert len(str(world.cursor)) < 100
    assert set(world.tick()).isdisjoint(asked)


def test_a_folder_that_is_gone_and_a_list_are_told_and_hamper_nobody(world: World, tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("a.mp4\n")
    world.watch("/nowhere", str(tmp_path / "list.txt"), str(world.folder))
    assert world.tick() == []
    assert world.skipped.count("cannot be looked at: it is no folder") == 2

    key = world.write("a.mp4")

    assert world.settle() == [key]


def test_a_prefix_is_watched(world: World, s3: S3) -> None:
    bucket = s3.new_bucket().removeprefix("s3://")
    world.watch(f"s3://{bucket}/2024")
    for key in ("2024/a.mp4", "2023/b.mp4", "2024/notes.txt"):
        s3.client.put_object(Bucket=bucket, Key=key, Body=b"a film")

    assert world.settle() == [video_key(f"s3://{bucket}/2024/a.mp4")]


def test_a_server_that_hangs_holds_up_one_tick_only(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # it accepts, and never answers
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{silent.getsockname()[1]}")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        s3_client.cache_clear()
        key = world.write("a.mp4")
        world.watch("s3://bucket/prefix", str(world.folder), seconds=0.5)
        assert world.tick() == []
        assert "s3://bucket/prefix cannot be looked at: listing it takes long, and goes on" in world.skipped
        assert world.tick() == [], "the folder is seen for the first time"
        assert world.tick() == [key], "the bucket is not waited for again"
    s3_client.cache_clear()


def test_without_anything_to_watch_it_says_so(world: World) -> None:
    world.watch()
    assert world.tick() == []
    assert world.skipped == "CV_VIDEO_SOURCES names no folder and no prefix."


def test_it_is_off_until_somebody_switches_it_on_and_looks_every_half_minute(world: World) -> None:
    assert world.sensor.default_status.value == "STOPPED"
    assert world.sensor.minimum_interval_seconds == 30
    assert [target.job_name for target in world.sensor.targets] == ["analyse_motion"]
