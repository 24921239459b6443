"""The archive holds each video once, whoever finds it how often, and knows which are bad."""

import threading
from datetime import UTC, datetime
from itertools import islice

import pytest
from dagster._core.definitions.partitions.utils.base import raise_error_on_invalid_partition_key_substring
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy import Engine

from cv_pipelines.catalog import Catalog
from cv_pipelines.errors import InputError
from cv_pipelines.images.datasets import require_name
from cv_pipelines.remote.facts import FileFacts
from cv_pipelines.videos import archive
from cv_pipelines.videos.archive import ArchivedVideo, Registered, register_videos, video_key
from cv_pipelines.videos.listing import ListedVideo
from tests.servers import on_both_databases

THEN = datetime(2026, 5, 1, 12, 30, tzinfo=UTC)
FILM = "/films/Crossing 1.mp4"


@pytest.fixture
def database(catalog: Catalog) -> Engine:
    return catalog.database


def listed(address: str = FILM, size: int | None = 10, stamp: str = "10:1") -> ListedVideo:
    return ListedVideo(address, address.rpartition("/")[2], size, THEN, stamp)


def register(database: Engine, *found: ListedVideo) -> list[Registered]:
    return [one for batch in register_videos(database, found) for one in batch]


def the_only_one(database: Engine) -> ArchivedVideo:
    (video,) = archive.list_archive(database)
    return video


@given(st.text(min_size=1).map(lambda name: f"/{name}"))
@example("/...")
@example("/--force.mp4")
@example(f"/{'x' * 300}.mp4")
@example("/été à la mer.MOV")
@example("https://host/a%20b.mp4?token=1")
@example("/\udcff.mp4")
def test_any_address_has_a_key_that_a_partition_can_bear(address: str) -> None:
    key = video_key(address)

    raise_error_on_invalid_partition_key_substring([key])
    assert archive.is_video_key(key)
    assert len(key) <= 64
    assert key == video_key(address)
    assert not key.startswith(("-", "."))
    with pytest.raises(InputError):
        require_name(key)


@given(st.text(min_size=1), st.text(min_size=1))
def test_two_addresses_have_two_keys(one: str, other: str) -> None:
    assert (video_key(f"/{one}") == video_key(f"/{other}")) == (one == other)


def test_a_key_can_be_read() -> None:
    assert video_key(FILM).startswith("Crossing-1~")
    assert video_key("s3://archive/2018/été.mov").startswith("ete~")
    assert video_key("https://host/%E6%98%A0%E7%94%BB.mp4").startswith("video~")


@on_both_databases
def test_what_is_found_is_kept_as_it_was_found(database: Engine) -> None:
    (found,) = register(database, listed())

    assert found.change == "new"
    assert found.video == the_only_one(database)
    assert found.video == ArchivedVideo(
        video_key(FILM), FILM, "Crossing 1.mp4", 10, THEN, "10:1", "", "", found.video.added_at
    )
    assert archive.find_video_of_archive(database, FILM) == found.video
    assert archive.find_video_of_archive(database, found.video.key) == found.video


@on_both_databases
def test_found_again_a_video_has_what_is_new_and_keeps_what_nobody_tells(database: Engine) -> None:
    (first,) = register(database, listed())

    assert [one.change for one in register(database, listed())] == ["same"]
    assert [one.change for one in register(database, listed(size=20, stamp="20:2"))] == ["changed"]
    assert [one.change for one in register(database, ListedVideo(FILM, FILM))] == ["same"]

    last = the_only_one(database)
    assert (last.size, last.modified_at, last.stamp) == (20, THEN, "20:2")
    assert last.added_at == first.video.added_at


@on_both_databases
def test_a_video_that_is_named_twice_is_one(database: Engine) -> None:
    assert len(register(database, listed(), listed(stamp="10:2"))) == 1
    assert the_only_one(database).stamp == "10:2"


@on_both_databases
def test_two_that_register_at_once_come_to_the_same(database: Engine) -> None:
    videos = [listed(f"/films/{number}.mp4") for number in range(1200)]
    found: list[Registered] = []
    threads = [
        threading.Thread(target=lambda order: found.extend(register(database, *order)), args=[order])
        for order in (videos, videos[::-1])
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 2400
    assert sum(one.change == "new" for one in found) == 1200
    assert len(list(archive.list_archive(database))) == archive.count_archive(database) == 1200


@on_both_databases
def test_one_that_is_killed_is_repeated(database: Engine) -> None:
    videos = [listed(f"/films/{number}.mp4") for number in range(1200)]
    for _ in islice(register_videos(database, videos), 1):
        pass
    assert archive.count_archive(database) == 500

    changes = [one.change for one in register(database, *videos)]

    assert (changes.count("new"), changes.count("same")) == (700, 500)


@on_both_databases
def test_thousands_are_listed_by_key(database: Engine) -> None:
    found = {one.video.key for one in register(database, *(listed(f"/films/{n}.mp4") for n in range(10_000)))}

    keys = [video.key for video in archive.list_archive(database)]

    assert len(keys) == 10_000
    assert set(keys) == found
    assert len(list(archive.list_archive(database, quarantined=True))) == 0


@on_both_databases
def test_a_bad_video_is_in_quarantine_until_its_file_changes(database: Engine) -> None:
    (found,) = register(database, listed())
    register(database, listed("/films/good.mp4"))

    archive.quarantine(database, found.video.key, "It is cut off.", "10:1")

    (bad,) = archive.list_archive(database, quarantined=True)
    assert (bad.key, bad.problem, bad.is_quarantined) == (found.video.key, "It is cut off.", True)
    assert register(database, listed())[0].video.is_quarantined
    assert not register(database, listed(stamp="10:2"))[0].video.is_quarantined
    assert list(archive.list_archive(database, quarantined=True)) == []


@on_both_databases
@pytest.mark.parametrize("stamp", ["", "etag-1"])
def test_a_video_whose_list_knows_no_version_stays_in_quarantine(database: Engine, stamp: str) -> None:
    (found,) = register(database, ListedVideo("https://host/film.mp4", "film.mp4"))

    archive.quarantine(database, found.video.key, "It is no video.", stamp)

    assert register(database, ListedVideo("https://host/film.mp4", "film.mp4"))[0].video.is_quarantined
    archive.note_facts(database, found.video.key, FileFacts(5, "etag-2", None, in_parts=True))
    assert not the_only_one(database).is_quarantined
    assert (the_only_one(database).size, the_only_one(database).stamp) == (5, "etag-2")


@on_both_databases
def test_a_video_that_was_not_there_is_tried_again_when_it_is(database: Engine) -> None:
    (found,) = register(database, listed())

    archive.quarantine(database, found.video.key, "There is no such file.", "")

    assert the_only_one(database).is_quarantined
    assert not register(database, listed())[0].video.is_quarantined, "its disk is mounted again"


def test_a_video_is_released(database: Engine) -> None:
    (found,) = register(database, listed())
    archive.quarantine(database, found.video.key, "It is cut off.", "10:1")

    archive.release(database, found.video.key)

    assert the_only_one(database) == found.video


def test_a_video_that_was_removed_is_not_there(database: Engine) -> None:
    (found,) = register(database, listed())

    archive.remove_video(database, found.video.key)

    for name in (FILM, found.video.key):
        with pytest.raises(InputError, match="The archive has no video"):
            archive.find_video_of_archive(database, name)


@pytest.mark.parametrize("address", ["/films/\udcff.mp4", "/films/\0.mp4", f"/films/{'ü' * 1100}.mp4"])
def test_an_address_that_cannot_be_kept_is_refused(database: Engine, address: str) -> None:
    with pytest.raises(InputError) as caught:
        register(database, listed(address))

    assert caught.value.code == "bad_address"
    caught.value.user_message.encode()
