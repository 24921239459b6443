"""Frames of videos, made here in several formats, and of real ones."""

import io
import os
import pickle
import random
import re
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np
import pytest
from PIL import Image

from cv_pipelines.errors import InputError
from cv_pipelines.images.sources.protocol import SourceItem
from cv_pipelines.images.sources.sampling import Sampling
from cv_pipelines.images.sources.video import VideoSource, frame_name, is_video
from tests.clips import frame_pixels, number_in

MakeVideo = Callable[..., Path]
ALL = Sampling(every=1)
FORMATS = [
    ("a.mp4", "libx264"),
    ("a.mov", "libx264"),
    ("a.mkv", "libx264"),
    ("a.ts", "libx264"),
    ("a.flv", "libx264"),
    ("b.mp4", "libx265"),
    ("a.webm", "libvpx-vp9"),
    ("a.avi", "mpeg4"),
    ("a.mpg", "mpeg2video"),
    ("a.wmv", "wmv2"),
]


def pixels_of(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as image:
        assert image.format == "PNG"
        return np.asarray(image.convert("RGB"))


def number_of(data: bytes) -> int:
    """Which frame of ours it is."""
    return number_in(pixels_of(data))


def decoded(path: Path) -> list[np.ndarray]:
    """All frames, by decoding from the beginning to the end."""
    with av.open(str(path)) as container:
        frames = sorted(container.decode(video=0), key=lambda frame: cast(int, frame.pts))
        return [frame.to_ndarray(format="rgb24") for frame in frames]


@pytest.mark.parametrize(("name", "codec"), FORMATS)
def test_each_frame_is_the_one_that_decoding_in_a_row_gives(
    make_video: MakeVideo, tmp_path: Path, name: str, codec: str
) -> None:
    path = make_video(tmp_path / name, frames=45, codec=codec, bf=0 if codec == "wmv2" else 2)
    source = VideoSource(path, ALL)
    items = list(source.items())
    expected = decoded(path)
    assert len(items) == len(expected) == 45

    in_order = [pixels_of(source.read(item)) for item in items]
    shuffled = random.Random(0).sample(range(45), 20)

    assert all(np.array_equal(found, wanted) for found, wanted in zip(in_order, expected, strict=True))
    for place in [*shuffled, 44, 0, 43, 1]:
        assert np.array_equal(pixels_of(source.read(items[place])), expected[place])


def test_the_picture_at_a_time_is_that_of_the_time(make_video: MakeVideo, tmp_path: Path) -> None:
    source = VideoSource(make_video(tmp_path / "a.mp4", frames=60, crf=5), ALL)

    assert [number_of(source.read(item)) for item in source.items()] == list(range(60))


def test_frames_are_named_by_video_and_exact_time(make_video: MakeVideo, tmp_path: Path) -> None:
    path = make_video(tmp_path / "über.mp4", frames=120, rate=Fraction(30000, 1001))

    items = list(VideoSource(path, ALL).items())

    assert [item.path for item in items[:3]] == [
        "über.mp4/000000.000000s=0/1",
        "über.mp4/000000.033367s=1001/30000",
        "über.mp4/000000.066733s=1001/15000",
    ]
    times = [Fraction(re.search(r"=(\d+/\d+)$", item.path)[1]) for item in items]  # type: ignore[index]
    assert times == [Fraction(1001 * number, 30000) for number in range(120)]
    assert [item.path for item in items] == sorted(item.path for item in items)
    assert {(item.label, item.split, item.group, item.problem) for item in items} == {(None, None, "", "")}


def test_names_sort_by_time_over_hours() -> None:
    times = [Fraction(number, 7) for number in (0, 1, 69, 70, 7000, 69_999, 7 * 360_000)]

    assert [frame_name(time) for time in times] == sorted(frame_name(time) for time in times)


@pytest.mark.parametrize(
    ("sampling", "numbers"),
    [(Sampling(every=25), [0, 25, 50]), (Sampling(), [0, 30, 60]), (Sampling(rate=Fraction(1, 2)), [0, 60])],
)
def test_only_the_frames_wanted_are_listed(
    make_video: MakeVideo, tmp_path: Path, sampling: Sampling, numbers: list[int]
) -> None:
    source = VideoSource(make_video(tmp_path / "a.mkv", frames=70, crf=5), sampling)

    assert [number_of(source.read(item)) for item in source.items()] == numbers


def test_the_same_frame_is_the_same_however_it_was_come_by(make_video: MakeVideo, tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", frames=60)
    every = {item.location: item for item in VideoSource(path, ALL).items()}
    some = {item.location: item for item in VideoSource(path, Sampling()).items()}

    assert {location: every[location].stamp for location in some} == {k: item.stamp for k, item in some.items()}
    for location, item in reversed(some.items()):
        assert VideoSource(path).read(item) == VideoSource(path, ALL).read(every[location])


@pytest.mark.parametrize(("rotation", "turns"), [(90, 1), (180, 2), (-90, 3)])
def test_a_video_that_was_filmed_on_its_side_is_upright(
    make_video: MakeVideo, tmp_path: Path, rotation: int, turns: int
) -> None:
    source = VideoSource(make_video(tmp_path / "a.mp4", frames=2, rotation=rotation, crf=5))

    (item,) = source.items()

    upright = np.rot90(frame_pixels(0), turns).astype(int)
    found = pixels_of(source.read(item)).astype(int)
    assert found.shape == upright.shape
    assert np.abs(found - upright).mean() < 8


def test_threads_and_processes_may_share_a_source(make_video: MakeVideo, tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", frames=80, crf=5)
    source = pickle.loads(pickle.dumps(VideoSource(path, ALL)))  # noqa: S301 - ours
    items = list(source.items())

    with ThreadPoolExecutor(4) as pool:
        numbers = list(pool.map(lambda item: number_of(source.read(item)), items))

    assert numbers == list(range(80))


def test_a_video_that_changes_is_no_longer_the_one_that_was_listed(make_video: MakeVideo, tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4")
    source = VideoSource(path, ALL)
    first, second, *_ = source.items()
    source.read(first)

    make_video(path, frames=31)

    with pytest.raises(OSError, match="the video has changed since it was listed"):
        source.read(second)
    assert [number_of(source.read(item)) for item in source.items()] == list(range(31))
    path.unlink()
    with pytest.raises(FileNotFoundError):
        source.read(second)
    with pytest.raises(InputError, match="cannot be read: No such file"):
        list(source.items())


def test_a_video_may_be_larger_than_an_image(
    make_video: MakeVideo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = VideoSource(make_video(tmp_path / "a.mp4"), ALL)
    monkeypatch.setattr("cv_pipelines.images.sources.files.MAX_BYTES", 100)

    assert all(item.stamp and not item.problem for item in source.items())


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_of_a_video_that_is_cut_off_the_frames_that_are_there_are_read(
    make_video: MakeVideo, tmp_path: Path, name: str
) -> None:
    path = make_video(tmp_path / name, frames=300)
    os.truncate(path, path.stat().st_size * 6 // 10)
    source = VideoSource(path, ALL)

    *frames, rest = source.items()

    assert 60 < len(frames) < 300
    assert rest.path == f"{name}/(the rest of the video)"
    assert re.fullmatch(r"cut off: it ends after \d\.\d of 10\.0 s\. Copy it again", rest.problem)
    assert all(source.read(frame) for frame in frames[:-3])


def test_damage_in_a_video_costs_the_frames_that_it_hits(make_video: MakeVideo, tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mkv", frames=90, bf=0)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 40] = os.urandom(40)
    path.write_bytes(data)
    source = VideoSource(path, ALL)
    items = list(source.items())

    good = 0
    for item in items:
        with suppress(OSError):
            good += not item.problem and bool(source.read(item))

    assert 30 < good < 90


@pytest.mark.parametrize("content", [b"", b"no video", b"\0" * 5000, b"ffconcat version 1.0\nfile other.mp4\n"])
def test_what_is_no_video_is_refused_in_one_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.mp4").write_bytes(content)

    with pytest.raises(InputError, match=r"is not a video|is a playlist") as caught:
        list(VideoSource(tmp_path / "a.mp4").items())

    assert "\n" not in caught.value.user_message


def test_a_playlist_opens_nothing_else(make_video: MakeVideo, tmp_path: Path) -> None:
    make_video(tmp_path / "other.ts")
    lines = ["#EXTM3U", "#EXT-X-TARGETDURATION:1", "#EXTINF:1,", "other.ts", "#EXT-X-ENDLIST", ""]
    (tmp_path / "list.mp4").write_text("\n".join(lines))

    with pytest.raises(InputError, match="is a playlist, which is not followed"):
        list(VideoSource(tmp_path / "list.mp4").items())


def test_a_file_without_pictures_is_refused(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "sound.mp4"), "w") as container:
        stream = container.add_stream("aac", rate=44100)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.sample_rate = 44100
        container.mux(stream.encode(frame))
        container.mux(stream.encode())

    with pytest.raises(InputError, match="has no pictures"):
        list(VideoSource(tmp_path / "sound.mp4").items())


def test_a_frame_that_is_not_there_cannot_be_read(make_video: MakeVideo, tmp_path: Path) -> None:
    source = VideoSource(make_video(tmp_path / "a.mp4"), ALL)
    item = next(source.items())

    with pytest.raises(OSError, match="cannot be decoded"):
        source.read(SourceItem(item.path, f"{source.path}#7@0", stamp=item.stamp))
    assert number_of(source.read(item)) == 0


def test_names_say_what_is_a_video() -> None:
    assert all(is_video(Path(name)) for name in ("a.mp4", "b/A.MOV", "a.b.webm"))
    assert not any(is_video(Path(name)) for name in ("mp4", "a.mp4.txt", "a.gif"))


@pytest.mark.parametrize(
    ("name", "frames", "last"),
    [("car-detection.mp4", 377, Fraction(752, 25)), ("flipping_a_pancake.mkv", 310, Fraction(103, 10))],
)
def test_real_videos_are_read_exactly(
    bench_data: Path, tmp_path: Path, name: str, frames: int, last: Fraction
) -> None:
    path = Path(shutil.copy(bench_data / "video" / name, tmp_path))
    source = VideoSource(path, ALL)
    items = list(source.items())
    expected = decoded(path)

    assert len(items) == len(expected) == frames
    assert items[-1].path.endswith(f"s={last}")
    for place in (0, 1, 2, 77, 78, 200, frames - 1, 5):
        assert np.array_equal(pixels_of(source.read(items[place])), expected[place])
