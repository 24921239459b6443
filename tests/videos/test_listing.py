"""Videos found in folders, buckets and lists."""

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cv_pipelines.errors import InputError
from cv_pipelines.videos.listing import ListedVideo, changed_within, first, list_videos
from cv_pipelines.videos.video import find_video
from tests.servers import S3

NOW = datetime(2024, 6, 1, tzinfo=UTC)
NAMES = [
    "2024/01/a.mp4",
    "2024/01/B.MOV",
    "2024/b.mkv",
    "notes.txt",
    "2024/.hidden.mp4",
    ".trash/c.mp4",
    "d.mp4/e.ts",
]
FOUND = ["2024/01/B.MOV", "2024/01/a.mp4", "2024/b.mkv", "d.mp4/e.ts"]


def test_a_folder(tmp_path: Path) -> None:
    for name in NAMES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    os.utime(tmp_path / "2024/b.mkv", (NOW.timestamp(), NOW.timestamp()))
    os.mkfifo(tmp_path / "pipe.mp4")

    found = list(list_videos(str(tmp_path)))

    assert [video.name for video in found] == FOUND
    assert [video.address for video in found] == [str(tmp_path / name) for name in FOUND]
    assert [video.size for video in found] == [len(name) for name in FOUND]
    assert found[2].modified == NOW
    assert all(video.stamp == find_video(video.address).look().stamp for video in found)
    assert next(list_videos(found[2].address)).stamp == found[2].stamp


def test_a_bucket(s3: S3) -> None:
    bucket = s3.new_bucket()
    for name in [*NAMES, "2024-other/x.mp4"]:
        s3.client.put_object(Bucket=bucket.removeprefix("s3://"), Key=f"films/{name}", Body=name.encode())

    found = list(list_videos(f"{bucket}/films/2024"))

    assert [video.name for video in found] == ["01/B.MOV", "01/a.mp4", "b.mkv"]
    assert all(video.stamp == find_video(video.address).look().stamp for video in found)
    assert all(video.modified and video.modified.tzinfo for video in found)
    assert [video.name for video in list_videos(f"{bucket}/films/2024/b.mkv")] == ["b.mkv"]
    assert len(list(list_videos(bucket))) == 6


def test_a_list_of_addresses(tmp_path: Path) -> None:
    lines = [
        "uri,camera",
        "https://example.org/a.mp4,1",
        "",
        "# later",
        "s3://bucket/b.mkv",
        "films/c.mp4",
        '"d.mp4",2',
    ]
    (tmp_path / "films.csv").write_text("\n".join(lines))

    found = list(list_videos(str(tmp_path / "films.csv")))

    assert [video.address for video in found] == [
        "https://example.org/a.mp4",
        "s3://bucket/b.mkv",
        f"{tmp_path}/films/c.mp4",
        f"{tmp_path}/d.mp4",
    ]
    assert {(video.size, video.modified, video.stamp) for video in found} == {(None, None, "")}


def test_what_goes_while_it_is_listed_is_not_there(tmp_path: Path) -> None:
    for name in ("a.mp4", "b.mp4", "c/d.mp4", "e.mp4"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = list_videos(str(tmp_path))

    assert next(found).name == "a.mp4"
    (tmp_path / "b.mp4").unlink()
    shutil.rmtree(tmp_path / "c")

    assert [video.name for video in found] == ["e.mp4"]


def test_a_list_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "films.txt").write_bytes(b"a.mp4\nM\xfcnchen.mp4\n")

    with pytest.raises(InputError, match=r"films.txt' is not UTF-8"):
        list(list_videos(str(tmp_path / "films.txt")))


def test_what_is_not_there(tmp_path: Path, s3: S3) -> None:
    for source in (str(tmp_path / "none"), "s3://", "s3://there-is-no-such-bucket/films"):
        with pytest.raises(InputError):
            list(list_videos(source))


def test_no_more_are_looked_for_than_wanted(tmp_path: Path) -> None:
    for number in range(10):
        (tmp_path / f"{number}.mp4").touch()
    looked = []

    def look() -> Iterator[ListedVideo]:
        for video in list_videos(str(tmp_path)):
            looked.append(video)
            yield video

    assert [video.name for video in first(look(), 3)] == ["0.mp4", "1.mp4", "2.mp4"]
    assert len(looked) == 3
    assert len(list(first(look(), None))) == 10


@given(st.lists(st.none() | st.integers(-100, 100)), st.integers(0, 100))
def test_by_age(days: list[int | None], most: int) -> None:
    videos = [
        ListedVideo(str(n), "", modified=None if d is None else NOW - timedelta(d)) for n, d in enumerate(days)
    ]

    kept = list(changed_within(videos, timedelta(most), NOW))

    assert [video.address for video in kept] == [str(n) for n, d in enumerate(days) if d is None or d <= most]
