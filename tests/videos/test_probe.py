"""What a video says of itself, and what is believed."""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cv_pipelines.errors import InputError
from cv_pipelines.videos.probe import average_rate, is_variable, probe_video
from cv_pipelines.videos.video import Video
from tests.web_server import Answer, WebServer

MakeVideo = Callable[..., Path]


def probed(path: Path) -> dict[str, Any]:
    return vars(probe_video(Video(str(path))))


def refused(path: Path) -> tuple[str, str]:
    with pytest.raises(InputError) as caught:
        probe_video(Video(str(path)))
    return caught.value.code, caught.value.user_message


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.mov"])
def test_an_ordinary_video(make_video: MakeVideo, tmp_path: Path, name: str) -> None:
    path = make_video(tmp_path / name, frames=60, rate=Fraction(30000, 1001))

    found = probed(path)

    assert found["address"] == str(path)
    assert found["bytes"] == path.stat().st_size
    assert (found["frames"], found["frames_by"]) == (60, "counted")
    assert found["rate"] == found["nominal_rate"] == Fraction(30000, 1001)
    assert found["is_variable"] is False
    assert found["duration"] == 60 * Fraction(1001, 30000)
    assert (found["width"], found["height"], found["stored_width"], found["stored_height"]) == (64, 48, 64, 48)
    assert (found["rotation"], found["is_interlaced"]) == (0, False)
    assert (found["codec"], found["pixel_format"], found["bit_depth"]) == ("h264", "yuv420p", 8)
    assert found["start"] == 0


@pytest.mark.parametrize(("rotation", "size"), [(90, (48, 64)), (180, (64, 48)), (-90, (48, 64))])
def test_rotation(make_video: MakeVideo, tmp_path: Path, rotation: int, size: tuple[int, int]) -> None:
    found = probed(make_video(tmp_path / "a.mp4", rotation=rotation))

    assert found["rotation"] == rotation % 360
    assert (found["width"], found["height"]) == size
    assert (found["stored_width"], found["stored_height"]) == (64, 48)


@pytest.mark.parametrize(
    ("options", "facts"),
    [
        ({"codec": "libx265", "pix_fmt": "yuv420p10le", "x265-params": "log-level=none"}, {"bit_depth": 10}),
        ({"codec": "ffv1", "pix_fmt": "yuv444p", "size": (63, 47), "bf": 0}, {"width": 63, "height": 47}),
        ({"x264-params": "tff=1", "flags": "+ildct+ilme"}, {"is_interlaced": True}),
        ({"times": range(1000, 3000, 40)}, {"start": 1, "frames": 50, "rate": 25, "duration": 2}),
    ],
)
def test_other_videos(
    make_video: MakeVideo, tmp_path: Path, options: dict[str, Any], facts: dict[str, Any]
) -> None:
    found = probed(make_video(tmp_path / "a.mkv", **options))

    assert {name: found[name] for name in facts} == facts


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_a_variable_rate(make_video: MakeVideo, tmp_path: Path, name: str) -> None:
    times = [0, 40, 50, 200, 210, 800, 801, 900, 1000, 1001, 1500, 1600]

    found = probed(make_video(tmp_path / name, times=times))

    assert found["is_variable"] is True
    assert found["rate"] == Fraction(11, 1600) * 1000
    assert found["duration"] == Fraction(1700, 1000)


def test_when_it_was_made(tmp_path: Path) -> None:
    for written, expected in (
        ("2024-05-03T12:00:00+02:00", datetime(2024, 5, 3, 10, tzinfo=UTC)),
        ("1904-01-01T00:00:00Z", None),
    ):
        with av.open(str(tmp_path / "a.mov"), "w") as container:
            container.metadata["creation_time"] = written
            stream = container.add_stream("mpeg4", rate=25)
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), "rgb24")))
            container.mux(stream.encode())

        found = probed(tmp_path / "a.mov")["created"]

        assert found == expected
        assert found is None or found.utcoffset() == timedelta(0)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi"])
def test_a_video_that_is_cut_off(make_video: MakeVideo, tmp_path: Path, name: str) -> None:
    path = make_video(tmp_path / name, frames=300, codec="mpeg4", bf=0)
    os.truncate(path, path.stat().st_size * 6 // 10)

    code, message = refused(path)

    assert code == "cut_off"
    assert "of 10.0 s. Copy it again" in message


def test_a_header_that_lies_about_the_length(make_video: MakeVideo, tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mkv", frames=60)
    path.write_bytes(path.read_bytes().replace(b"00:00:02.0", b"00:00:20.0"))

    assert refused(path) == (
        "cut_off",
        f"'{path}' is cut off: it ends after 2.0 of 20.0 s. Copy it again.",
    )


def test_a_video_without_frames(tmp_path: Path) -> None:
    path = tmp_path / "a.avi"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        container.start_encoding()

    assert refused(path) == ("no_frames", f"'{path}' has no frame that can be read.")


def test_pictures_that_cannot_be_decoded(make_video: MakeVideo, tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mkv", frames=30, codec="ffv1", bf=0, g=1)
    data = path.read_bytes()
    start = data.index(b"\x1f\x43\xb6\x75")  # the first cluster
    path.write_bytes(data[:start] + bytes(byte ^ 0x55 if byte % 3 == 0 else byte for byte in data[start:]))

    code, _ = refused(path)

    assert code in ("bad_video", "no_frames", "cut_off")


def test_of_a_remote_video_frames_may_be_estimated(
    make_video: MakeVideo, tmp_path: Path, web_server: WebServer
) -> None:
    path = make_video(tmp_path / "a.mkv", frames=300, crf=5, noise=True, size=(320, 240))
    web_server.answers["/a.mkv"] = Answer(body=path.read_bytes(), ranges=True)
    video = Video(f"{web_server.url}/a.mkv", ("127.0.0.1",))

    found = probe_video(video, exact=False)

    assert (found.frames, found.frames_by, found.rate, found.is_variable) == (300, "estimated", Fraction(30), None)
    assert found.duration == 10
    assert web_server.sent < 0.1 * path.stat().st_size
    assert probe_video(video).frames_by == "counted"


@given(
    st.fractions(1, 240, max_denominator=1001),
    st.integers(2, 300),
    st.sampled_from([1000, 90_000, 12_800]),
    st.integers(0, 10**6),
)
def test_rounded_times_give_the_rate_back(rate: Fraction, frames: int, ticks: int, start: int) -> None:
    times = [start + round(number / rate * ticks) for number in range(frames)]
    tick = Fraction(1, ticks)

    assert average_rate(times, tick, rate) == rate
    counted = average_rate(times, tick, None)
    assert abs((frames - 1) / counted - (frames - 1) / rate) <= tick
    assert not is_variable(times)


def test_a_rate_that_the_times_contradict_is_not_believed() -> None:
    times = [40 * number for number in range(100)]

    assert average_rate(times, Fraction(1, 1000), Fraction(30)) == 25
    assert average_rate(times[:1], Fraction(1, 1000), Fraction(30)) == 30
    assert average_rate(times[:1], Fraction(1, 1000), None) == 0


def test_a_frame_left_out_makes_the_rate_variable() -> None:
    assert is_variable([0, 1, 2, 4, 5])
    assert is_variable([0, 33, 67, 133, 167])
    assert not is_variable([0, 33, 67, 100, 133])
    assert not is_variable([7])


def test_real_videos(bench_data: Path) -> None:
    cars = probed(bench_data / "video/car-detection.mp4")
    pancake = probed(bench_data / "video/flipping_a_pancake.mkv")

    assert (cars["frames"], cars["rate"], cars["duration"]) == (377, Fraction(25, 2), Fraction(754, 25))
    assert cars["created"] == datetime(2018, 4, 19, 22, 46, tzinfo=UTC)
    assert (pancake["frames"], pancake["rate"], pancake["width"]) == (310, 30, 426)
