"""Videos that are found come into the archive once, and are analysed where that is needed."""

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cv_pipelines.catalog import Catalog
from cv_pipelines.motion.injection import Found, take_in
from cv_pipelines.videos.archive import count_archive, list_archive, quarantine, video_key
from cv_pipelines.videos.listing import ListedVideo, list_videos
from cv_pipelines.videos.video import find_video
from tests.motion.archives import analyse
from tests.servers import on_both_databases


@pytest.fixture
def films(tmp_path: Path) -> Path:
    """A folder of three files that are named as videos are."""
    for name in ("a.mp4", "2018/b.mov", "2018/c.mkv"):
        write(tmp_path / "films" / name)
    (tmp_path / "films" / "notes.txt").write_text("no video")
    return tmp_path / "films"


def write(path: Path, content: str = "a film") -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return video_key(str(path))


def inject(catalog: Catalog, source: Path, **wishes: object) -> tuple[Found, list[str]]:
    """Take in what is there; returns what came of it, and the keys that were told."""
    entered: list[str] = []
    return take_in(catalog, list_videos(str(source)), entered.extend, **wishes), entered  # type: ignore[arg-type]


@on_both_databases
def test_what_is_new_is_entered_and_analysed(catalog: Catalog, films: Path) -> None:
    found, entered = inject(catalog, films)

    keys = [video_key(str(films / name)) for name in ("2018/b.mov", "2018/c.mkv", "a.mp4")]
    assert (found.videos, found.new, found.current, found.due, entered) == (3, 3, 0, keys, keys)
    video = next(video for video in list_archive(catalog.database) if video.name == "a.mp4")
    assert (video.address, video.size) == (str(films / "a.mp4"), 6)
    assert video.stamp == find_video(video.address).look().stamp


@on_both_databases
def test_what_has_a_result_is_skipped_until_its_file_changes_or_a_person_insists(
    catalog: Catalog, films: Path
) -> None:
    inject(catalog, films)
    analyse(catalog, str(films / "a.mp4"))

    found, entered = inject(catalog, films)
    assert (found.new, found.changed, found.current, len(found.due), len(entered)) == (0, 0, 1, 2, 3)
    assert len(inject(catalog, films, force=True)[0].due) == 3

    key = write(films / "a.mp4", "another cut of it")
    found, _ = inject(catalog, films)
    assert (found.changed, found.current, key in found.due) == (1, 0, True)


def test_a_bad_video_is_skipped_until_its_file_changes_or_a_person_insists(catalog: Catalog, films: Path) -> None:
    inject(catalog, films)
    key = video_key(str(films / "a.mp4"))
    quarantine(catalog.database, key, "It is cut off.", find_video(str(films / "a.mp4")).look().stamp)

    found, _ = inject(catalog, films)
    assert (found.quarantined, key in found.due) == (1, False)
    assert key in inject(catalog, films, force=True)[0].due

    write(films / "a.mp4", "all of it")
    found, _ = inject(catalog, films)
    assert (found.quarantined, key in found.due) == (0, True)


def test_a_video_of_which_too_little_is_known_is_not_tried_again_and_again(catalog: Catalog, films: Path) -> None:
    inject(catalog, films)
    analyse(catalog, str(films / "a.mp4"), invalid=0.9)

    found, _ = inject(catalog, films)

    assert (found.failed, found.current, len(found.due)) == (1, 0, 2)


def test_what_is_being_analysed_is_not_asked_for_again(catalog: Catalog, films: Path) -> None:
    busy = {video_key(str(films / "a.mp4"))}

    found, _ = inject(catalog, films, busy=busy)

    assert (found.under_way, len(found.due)) == (1, 2)
    assert busy.isdisjoint(found.due)


def test_a_dry_run_changes_nothing_and_tells_the_same(catalog: Catalog, films: Path) -> None:
    promised, entered = inject(catalog, films, pretend=True)

    assert (count_archive(catalog.database), entered) == (0, [])
    assert promised == inject(catalog, films)[0]


def test_the_listing_is_read_until_enough_have_to_be_analysed(catalog: Catalog, films: Path) -> None:
    taken: list[str] = []

    def listing() -> Iterator[ListedVideo]:
        for number in range(5000):
            taken.append(str(number))
            yield ListedVideo(f"/films/{number}.mp4", "", 1, stamp="1")

    found = take_in(catalog, listing(), lambda _: None, count=3)

    assert found.due == [video_key(f"/films/{number}.mp4") for number in range(3)]
    assert count_archive(catalog.database) == 3, "those behind the last one wanted are no business of ours"
    assert len(taken) <= 500
    for key in found.due:
        analyse(catalog, key)
    assert take_in(catalog, listing(), lambda _: None, count=2).due == [
        video_key(f"/films/{number}.mp4") for number in (3, 4)
    ]


def test_what_cannot_be_taken_in_is_told_and_holds_up_nobody(catalog: Catalog, tmp_path: Path) -> None:
    films = tmp_path / "films.txt"
    films.write_text("ftp://host/a.mp4\nhttps://user:secret@host/b.mp4\nc.mp4\n./c.mp4\nc.mp4\n")

    found, _ = inject(catalog, films)

    assert [address for address, _ in found.refused] == ["ftp://host/a.mp4", "https://user:secret@host/b.mp4"]
    assert all(reason for _, reason in found.refused)
    assert found.due == [video_key(f"{tmp_path}/c.mp4")]


def test_of_a_list_the_version_of_a_file_is_asked_for_where_it_matters(catalog: Catalog, films: Path) -> None:
    listed = films / "list.txt"
    listed.write_text("a.mp4\n2018/b.mov\n")
    inject(catalog, films)
    analyse(catalog, str(films / "a.mp4"))
    assert inject(catalog, listed)[0].current == 1

    os.utime(films / "a.mp4", (1, 1))

    found, _ = inject(catalog, listed)
    assert (found.changed, found.current, len(found.due)) == (1, 0, 2)


@on_both_databases
def test_two_injects_at_once_come_to_the_same(catalog: Catalog, tmp_path: Path) -> None:
    videos = [ListedVideo(f"/films/{number}.mp4", "", 1, stamp="1") for number in range(1200)]
    found: list[Found] = []
    barrier = threading.Barrier(2)

    def work() -> None:
        barrier.wait()
        found.append(take_in(catalog, videos, lambda _: None))

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [one.due for one in found] == [[video_key(video.address) for video in videos]] * 2
    assert count_archive(catalog.database) == 1200


def test_one_that_was_killed_is_repeated(catalog: Catalog) -> None:
    videos = [ListedVideo(f"/films/{number}.mp4", "", 1, stamp="1") for number in range(1200)]
    told: list[str] = []

    def be_killed(keys: list[str]) -> None:
        if told:
            raise KeyboardInterrupt
        told.extend(keys)

    with pytest.raises(KeyboardInterrupt):
        take_in(catalog, videos, be_killed)
    again: list[str] = []
    found = take_in(catalog, videos, again.extend)

    assert (found.new, len(found.due), len(again)) == (200, 1200, 1200)


def test_ten_thousand_are_told_of_as_they_come(catalog: Catalog) -> None:
    videos = (ListedVideo(f"/films/{number}.mp4", "", 1, stamp="1") for number in range(10_000))
    told: list[int] = []
    progress: Callable[..., None] = lambda stage, done, total=None: told.append(done)  # noqa: E731 - one line

    found = take_in(catalog, videos, lambda _: None, progress=progress)

    assert (found.videos, len(set(found.due))) == (10_000, 10_000)
    assert told == sorted(told)
    assert len(told) == 20
