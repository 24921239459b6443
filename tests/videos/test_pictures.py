"""Single frames of videos: the right one, upright, of the right size, and with few bytes fetched."""

import io
import re
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from cv_pipelines.errors import InputError
from cv_pipelines.remote.files import read_remote_range
from cv_pipelines.settings import Settings
from cv_pipelines.videos import pictures as module
from cv_pipelines.videos.pictures import Wish, picture_array, picture_file, upright
from cv_pipelines.videos.video import Video, find_video
from tests.clips import frame_pixels, number_in
from tests.servers import S3
from tests.web_server import Answer, WebServer

MakeVideo = Callable[..., Path]
UNEVEN = [0, 40, 50, 200, 210, 800, 801, 900, 1000, 1001, 1500, 1600]
VIDEOS: list[tuple[str, dict[str, Any]]] = [
    ("b.mp4", {"bf": 3}),
    ("b.mkv", {"bf": 3}),
    ("a.webm", {"codec": "libvpx-vp9"}),
    ("a.ts", {}),
    ("a.avi", {"codec": "mpeg4", "bf": 0}),
    ("uneven.mkv", {"times": UNEVEN}),
    ("uneven.mp4", {"times": UNEVEN}),
    ("ten.mp4", {"codec": "libx265", "pix_fmt": "yuv420p10le", "x265-params": "log-level=none"}),
    ("ten.mkv", {"codec": "libx264", "pix_fmt": "yuv422p10le"}),
    ("odd.mkv", {"codec": "ffv1", "pix_fmt": "yuv444p", "size": (63, 47), "bf": 0}),
    ("odd.mp4", {"pix_fmt": "yuv444p", "size": (63, 47)}),
    ("fields.mp4", {"x264-params": "tff=1:keyint=10", "flags": "+ildct+ilme"}),
    ("hevc.mp4", {"codec": "libx265", "x265-params": "keyint=10:open-gop=1:bframes=3:log-level=none"}),
]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(state=tmp_path / "state", url_allow=("127.0.0.1",))


def decoded(path: Path) -> list[tuple[Fraction, NDArray[np.uint8]]]:
    """Times and pixels of all frames, by decoding from the beginning to the end."""
    with av.open(str(path)) as container:
        frames = sorted(container.decode(video=0), key=lambda frame: frame.pts or 0)
        return [((frame.pts or 0) * (frame.time_base or Fraction(1)), upright(frame)) for frame in frames]


@pytest.mark.parametrize(("name", "options"), VIDEOS, ids=[name for name, _ in VIDEOS])
def test_a_frame_is_the_same_by_number_and_by_time(
    make_video: MakeVideo, tmp_path: Path, settings: Settings, name: str, options: dict[str, Any]
) -> None:
    path = make_video(tmp_path / name, **{"frames": 35, "crf": 5} | options)
    video = find_video(str(path), settings)
    expected = decoded(path)
    assert [number_in(pixels) for _, pixels in expected] == list(range(len(expected)))

    for number in (1, len(expected), 7, 12, 11, 8):
        time, pixels = expected[number - 1]
        end = expected[number][0] if number < len(expected) else time + Fraction(1, 1000)
        assert np.array_equal(picture_array(video, Wish(frame=number)), pixels)
        for shown in (time, (time + end) / 2, end - Fraction(1, 10**9)):
            assert np.array_equal(picture_array(video, Wish(time=shown)), pixels), (number, shown)


@pytest.mark.parametrize("name", ["a.mkv", "a.webm", "uneven.mkv"])
def test_a_remote_video_is_searched_without_a_list(
    make_video: MakeVideo,
    tmp_path: Path,
    settings: Settings,
    web_server: WebServer,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    times = UNEVEN if name.startswith("uneven") else ()
    codec = "libvpx-vp9" if name == "a.webm" else "libx264"
    path = make_video(tmp_path / name, frames=35, crf=5, codec=codec, times=times)
    web_server.answers["/a"] = Answer(body=path.read_bytes(), ranges=True, headers={"ETag": "1"})
    video = find_video(f"{web_server.url}/a", settings)
    monkeypatch.setattr("cv_pipelines.videos.shown.load_frames", lambda *_: pytest.fail("listed"))
    expected = decoded(path)

    for number, (time, pixels) in enumerate(expected):
        end = expected[number + 1][0] if number + 1 < len(expected) else time + Fraction(1, 1000)
        for shown in (time, end - Fraction(1, 10**9)):
            assert np.array_equal(picture_array(video, Wish(time=shown)), pixels), (number, shown)
    with pytest.raises(InputError, match="shows nothing after"):
        picture_file(video, Wish(time=Fraction(100)))


def test_before_the_first_frame_the_first_is_shown(
    make_video: MakeVideo, tmp_path: Path, web_server: WebServer
) -> None:
    for name in ("a.ts", "late.mkv"):
        path = make_video(tmp_path / name, times=[1400, 1500, 1600, 1700], crf=5)
        web_server.answers["/a"] = Answer(body=path.read_bytes(), ranges=True)
        for video in (Video(str(path)), Video(f"{web_server.url}/a", ("127.0.0.1",))):
            assert number_in(picture_array(video, Wish(time=Fraction(0)))) == 0


@pytest.mark.parametrize("time", [Fraction(1), Fraction(3600)])
def test_after_the_end_there_is_nothing(make_video: MakeVideo, tmp_path: Path, time: Fraction) -> None:
    video = Video(str(make_video(tmp_path / "a.mp4", frames=30)))

    with pytest.raises(InputError, match=r"it ends after 1\.000 s") as caught:
        picture_file(video, Wish(time=time))

    assert caught.value.code == "no_frame"
    assert number_in(picture_array(video, Wish(time=Fraction(999, 1000)))) == 29


def test_there_are_as_many_frames_as_there_are(make_video: MakeVideo, tmp_path: Path) -> None:
    video = Video(str(make_video(tmp_path / "a.mp4", frames=30)))

    with pytest.raises(InputError, match="has no frame 31: it has 30") as caught:
        picture_file(video, Wish(frame=31))

    assert caught.value.code == "no_frame"


@pytest.mark.parametrize(
    "wish",
    [
        {},
        {"frame": 1, "time": Fraction(1)},
        {"frame": 0},
        {"frame": -1},
        {"frame": 1, "width": 0},
        {"frame": 1, "height": 20_000},
    ],
)
def test_wishes_that_make_no_sense(wish: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        Wish(**wish)


@pytest.mark.parametrize(("rotation", "turns"), [(90, 1), (180, 2), (-90, 3)])
def test_pictures_stand_upright(make_video: MakeVideo, tmp_path: Path, rotation: int, turns: int) -> None:
    video = Video(str(make_video(tmp_path / "a.mp4", frames=2, rotation=rotation, crf=5)))

    pixels = picture_array(video, Wish(frame=1, width=24 if turns % 2 else 32)).astype(int)

    expected = np.rot90(frame_pixels(0), turns)[::2, ::2].astype(int)
    assert pixels.shape == expected.shape
    assert np.abs(pixels - expected).mean() < 12


@pytest.mark.parametrize(
    ("wish", "size"),
    [
        ({}, (64, 48)),
        ({"width": 32}, (32, 24)),
        ({"height": 12}, (16, 12)),
        ({"width": 1}, (1, 1)),
        ({"width": 100, "height": 10}, (100, 10)),
    ],
)
def test_sizes(make_video: MakeVideo, tmp_path: Path, wish: dict[str, Any], size: tuple[int, int]) -> None:
    video = Video(str(make_video(tmp_path / "a.mp4", frames=2)))

    with Image.open(io.BytesIO(picture_file(video, Wish(frame=1, **wish)))) as image:
        assert image.size == size


def test_kinds_of_files_hold_nothing_but_the_picture(make_video: MakeVideo, tmp_path: Path) -> None:
    video = Video(str(make_video(tmp_path / "a.mp4", frames=2, crf=5)))

    for kind, name in (("png", "PNG"), ("jpeg", "JPEG")):
        data = picture_file(video, Wish(frame=2, kind=kind))  # type: ignore[arg-type]
        with Image.open(io.BytesIO(data)) as image:
            assert image.format == name
            assert not image.getexif()
            assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
            assert number_in(np.asarray(image)) == 1


def test_colours_are_read_as_the_video_says(tmp_path: Path) -> None:
    pixels = np.full((48, 64, 3), (30, 160, 60), np.uint8)
    for matrix, tag in (("ITU709", 1), ("ITU601", 6)):
        with av.open(str(tmp_path / f"{matrix}.mp4"), "w") as container:
            stream = container.add_stream("libx264", rate=25, options={"crf": "1"})
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv444p"
            stream.codec_context.colorspace = tag
            frame = av.VideoFrame.from_ndarray(pixels, "rgb24")
            container.mux(stream.encode(frame.reformat(format="yuv444p", dst_colorspace=matrix)))
            container.mux(stream.encode())

        found = picture_array(Video(str(tmp_path / f"{matrix}.mp4")), Wish(frame=1))

        assert np.abs(found.astype(int) - pixels).max() <= 4, matrix


def test_a_picture_is_made_once_for_each_version(
    make_video: MakeVideo, tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_video(tmp_path / "a.mp4", crf=5)
    video = find_video(str(path), settings)
    first = picture_file(video, Wish(frame=3, width=32))

    with monkeypatch.context() as patch:
        patch.setattr(module, "_decoded", lambda *_: pytest.fail("decoded again"))
        assert picture_file(video, Wish(frame=3, width=32)) == first

    make_video(path, frames=31, crf=30)
    assert picture_file(video, Wish(frame=3, width=32)) != first


def test_a_damaged_frame_is_named(make_video: MakeVideo, tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mkv", frames=60, codec="ffv1", bf=0, g=1, noise=True)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 600] = bytes(600)
    path.write_bytes(data)
    video = Video(str(path))

    found = [problem_of(video, number) for number in range(25, 36)]

    damaged = [problem for problem in found if problem]
    assert 0 < len(damaged) < 4
    assert all(problem == f"bad_video of frame {25 + place}" for place, problem in enumerate(found) if problem)


def problem_of(video: Video, number: int) -> str:
    try:
        picture_file(video, Wish(frame=number))
    except InputError as error:
        return f"{error.code} of {re.findall('frame [0-9]+', error.user_message)[0]}"
    return ""


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory, make_video: MakeVideo) -> Path:
    """A folder of the same video of about 4 MB as .mp4, .mov (its table at the end) and .mkv."""
    folder = tmp_path_factory.mktemp("large")
    for name in ("a.mp4", "a.mov", "a.mkv"):
        make_video(folder / name, frames=250, crf=12, noise=True, size=(320, 240), preset="ultrafast")
    return folder


@pytest.mark.parametrize("name", ["a.mp4", "a.mov", "a.mkv"])
@pytest.mark.parametrize("kind", ["web", "s3"])
def test_few_bytes_are_fetched_for_one_frame(
    large: Path,
    settings: Settings,
    web_server: WebServer,
    s3: S3,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    kind: str,
) -> None:
    body = (large / name).read_bytes()
    assert len(body) > 3_000_000
    if kind == "web":
        web_server.answers[f"/{name}"] = Answer(body=body, ranges=True, headers={"ETag": "1"})
        address = f"{web_server.url}/{name}"
    else:
        bucket = s3.new_bucket()
        s3.client.put_object(Bucket=bucket.removeprefix("s3://"), Key=name, Body=body)
        address = f"{bucket}/{name}"
    fetched = counted(monkeypatch)
    video = find_video(address, settings)

    pixels = picture_array(video, Wish(time=Fraction(251, 60)))

    assert number_in(pixels) == 125
    assert sum(fetched) < 0.15 * len(body)
    if kind == "web":
        assert abs(web_server.sent - sum(fetched)) < 10  # a first byte now and then
    if name != "a.mkv":
        before = sum(fetched)
        assert number_in(picture_array(video, Wish(frame=200))) == 199
        assert sum(fetched) - before < 0.15 * len(body)


def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Sizes of the parts that are fetched from now on."""
    fetched: list[int] = []

    def count(*args: Any) -> bytes:
        data = read_remote_range(*args)
        fetched.append(len(data))
        return data

    monkeypatch.setattr("cv_pipelines.videos.opening.read_remote_range", count)
    return fetched


@pytest.mark.parametrize(("name", "last"), [("car-detection.mp4", 377), ("flipping_a_pancake.mkv", 310)])
def test_real_videos(bench_data: Path, settings: Settings, name: str, last: int) -> None:
    path = bench_data / "video" / name
    video = find_video(str(path), settings)
    expected = decoded(path)

    for number in (1, 78, 79, 200, last):
        assert np.array_equal(picture_array(video, Wish(frame=number)), expected[number - 1][1])
        assert np.array_equal(picture_array(video, Wish(time=expected[number - 1][0])), expected[number - 1][1])
    with pytest.raises(InputError, match=f"it has {last}"):
        picture_file(video, Wish(frame=last + 1))
