"""Lists of frames: by the table of an MP4 alone they are what reading all of it gives."""

import os
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest

from cv_pipelines.settings import Settings
from cv_pipelines.videos import frame_index
from cv_pipelines.videos import frames as module
from cv_pipelines.videos.frame_index import load_frames
from cv_pipelines.videos.frames import Frames, list_frames
from cv_pipelines.videos.video import Video, find_video
from tests.web_server import Answer, WebServer

MakeVideo = Callable[..., Path]
TABLES = [
    ("b.mp4", {"bf": 3}),
    ("end.mov", {}),
    ("open.mp4", {"x264-params": "open-gop=1:keyint=10"}),
    ("refresh.mp4", {"x264-params": "intra-refresh=1:keyint=10"}),
    ("hevc.mp4", {"codec": "libx265", "x265-params": "keyint=10:open-gop=1:log-level=none"}),
    ("mpeg2.mp4", {"codec": "mpeg2video"}),
    ("mpeg4.mp4", {"codec": "mpeg4", "bf": 0}),
    ("lossless.mov", {"codec": "qtrle", "pix_fmt": "rgb24", "bf": 0}),
    ("uneven.mp4", {"times": [0, 40, 50, 200, 210, 800, 801, 900, 1000, 1001, 1500, 1600]}),
]
PIECES = ["frag_keyframe+empty_moov", "frag_keyframe", "frag_keyframe+default_base_moof"]


def read_whole(video: Video, monkeypatch: pytest.MonkeyPatch) -> Frames:
    with monkeypatch.context() as patch:
        patch.setattr(module, "has_table", lambda _: False)
        return list_frames(video)


def decoded_times(path: Path) -> list[int]:
    with av.open(str(path)) as container:
        return sorted(frame.pts for frame in container.decode(video=0) if frame.pts is not None)


@pytest.mark.parametrize(("name", "options"), TABLES, ids=lambda value: value if isinstance(value, str) else "")
def test_the_table_lists_what_is_there(
    make_video: MakeVideo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, options: dict[str, Any]
) -> None:
    path = make_video(tmp_path / name, **{"frames": 40, "noise": True, "crf": 5, "size": (320, 240)} | options)
    assert path.stat().st_size > 90_000  # more than is looked at before the table is believed

    found = list_frames(Video(str(path)))

    assert [frame.time for frame in found.frames] == decoded_times(path)
    assert found == read_whole(Video(str(path)), monkeypatch)
    assert found.damage == ""


@pytest.mark.parametrize("movflags", PIECES)
def test_of_a_video_in_pieces_all_are_listed(make_video: MakeVideo, tmp_path: Path, movflags: str) -> None:
    path = make_video(tmp_path / "a.mp4", frames=60, g=50, movflags=movflags)  # the last piece is a short one

    assert [frame.time for frame in list_frames(Video(str(path))).frames] == decoded_times(path)


def test_only_the_table_is_read(
    make_video: MakeVideo, tmp_path: Path, web_server: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_video(tmp_path / "a.mp4", frames=250, crf=5, noise=True, size=(320, 240))
    size = path.stat().st_size
    web_server.answers["/a.mp4"] = Answer(body=path.read_bytes(), ranges=True)
    video = Video(f"{web_server.url}/a.mp4", ("127.0.0.1",))

    found = list_frames(video)

    assert len(found.frames) == 250
    assert web_server.sent < 0.05 * size
    read_whole(video, monkeypatch)
    assert web_server.sent > size


def test_a_table_that_promises_more_than_there_is(make_video: MakeVideo, tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", frames=300, noise=True)
    os.truncate(path, path.stat().st_size * 6 // 10)

    found = list_frames(Video(str(path)))

    assert 100 < len(found.frames) < 250
    assert "cut off: it ends after" in found.damage


def test_a_list_is_made_once_for_each_version(
    make_video: MakeVideo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_video(tmp_path / "a.mkv", rate=Fraction(30000, 1001))
    video = find_video(str(path), Settings(state=tmp_path))
    first = load_frames(video)
    assert first == list_frames(video)

    with monkeypatch.context() as patch:
        patch.setattr(frame_index, "list_frames", lambda *_: pytest.fail("listed again"))
        assert load_frames(video) == first

    make_video(path, frames=31)
    assert len(load_frames(video).frames) == 31


def test_half_a_list_is_made_again(make_video: MakeVideo, tmp_path: Path) -> None:
    video = find_video(str(make_video(tmp_path / "a.mp4")), Settings(state=tmp_path))
    first = load_frames(video)
    (kept,) = (path for path in (tmp_path / "cache/videos/frames").rglob("*") if path.is_file())
    kept.write_bytes(kept.read_bytes()[:-100])

    assert load_frames(video) == first
