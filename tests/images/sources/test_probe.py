from collections.abc import Callable
from pathlib import Path

from cv_pipelines.images.sources.factory import open_source
from cv_pipelines.images.sources.probe import probe_source


def put(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"no image")


def test_a_probe_counts_classes_and_splits_without_reading_a_file(tmp_path: Path) -> None:
    put(tmp_path, "train/dog/1.png", "train/cat/1.png", "train/cat/2.png", "test/cat/3.png", "test/4.png", "5.png")

    probe = probe_source(open_source(str(tmp_path)))

    assert (probe.kind, probe.files, probe.bytes) == ("folder", 6, 6 * len(b"no image"))
    assert probe.classes == {"cat": 3, "dog": 1}
    assert probe.splits == {"test": 2, "train": 3}
    assert (probe.unlabelled, probe.unusable, probe.problems) == (2, 0, {})


def test_what_cannot_be_read_counts_as_a_file_and_as_nothing_else(tmp_path: Path) -> None:
    put(tmp_path, "cat/1.png", "cat/film.mp4")

    probe = probe_source(open_source(str(tmp_path)))

    assert (probe.files, probe.unusable, probe.unlabelled, probe.classes) == (2, 1, 0, {"cat": 1})
    assert list(probe.problems) == ["cat/film.mp4"]


def test_however_many_problems_there_are_a_thousand_are_told(tmp_path: Path) -> None:
    put(tmp_path, *(f"{number}.mp4" for number in range(1100)))

    probe = probe_source(open_source(str(tmp_path)))

    assert (probe.files, probe.unusable, len(probe.problems)) == (1100, 1100, 1000)


def test_a_long_listing_tells_where_it_stands(tmp_path: Path) -> None:
    put(tmp_path, *(f"{number}.png" for number in range(2500)))
    told: list[int] = []

    probe_source(open_source(str(tmp_path)), lambda stage, done, total=None: told.append(done))

    assert told == [1000, 2000]


def test_a_video_tells_how_long_and_how_large_it_is(make_video: Callable[..., Path], tmp_path: Path) -> None:
    probe = probe_source(open_source(str(make_video(tmp_path / "film.mp4", frames=50, rate=25))))

    assert (probe.kind, probe.files) == ("video", 2)
    size = f"{(tmp_path / 'film.mp4').stat().st_size:,}"
    assert probe.facts == {
        "bytes": size,
        "duration": "2.0 s",
        "size": "64 x 48",
        "frame rate": "25 a second",
        "codec": "h264",
    }
