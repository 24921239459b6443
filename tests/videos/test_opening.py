"""Videos opened from disks, S3 and web servers of our own, and what is refused."""

import os
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from cv_pipelines.errors import CvError, InfrastructureError, InputError
from cv_pipelines.remote import connections as connections_module
from cv_pipelines.remote.connections import connections
from cv_pipelines.settings import Settings
from cv_pipelines.videos import copies
from cv_pipelines.videos.opening import open_video, picture_stream
from cv_pipelines.videos.video import Video, find_video
from tests.clips import number_in
from tests.servers import S3
from tests.web_server import Answer, WebServer

MakeVideo = Callable[..., Path]
HERE = ("127.0.0.0/8",)


def numbers(video: Video) -> list[int]:
    with open_video(video) as container:
        return [number_in(frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)]


def refused(video: Video) -> CvError:
    with pytest.raises(CvError) as caught, open_video(video):
        pass
    assert "\n" not in caught.value.user_message
    assert video.address in caught.value.user_message
    return caught.value


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(state=tmp_path / "state", url_allow=HERE)


@pytest.fixture
def serve(web_server: WebServer, settings: Settings) -> Callable[..., Video]:
    """`serve(body, **answer)`: a video at a URL."""

    def start(body: bytes = b"", name: str = "a.mp4", **answer: object) -> Video:
        web_server.answers[f"/films/{name}"] = Answer(body=body, **answer)  # type: ignore[arg-type]
        return find_video(f"{web_server.url}/films/{name}", settings)

    return start


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("/data/a b.mp4", "a b.mp4"),
        ("s3://bucket/2024/01/a.mp4", "a.mp4"),
        ("https://example.org/films/%C3%BC.mp4?token=1#x", "ü.mp4"),
    ],
)
def test_addresses_of_videos(settings: Settings, address: str, name: str) -> None:
    video = find_video(address, settings)

    assert (video.address, video.name) == (address, name)
    assert video.allow == HERE
    assert video.cache == settings.cache / "videos"


def test_files_may_be_written_in_several_ways(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/usr")
    monkeypatch.setenv("HOME", "/home/me")

    assert find_video("films/a.mp4", settings).address == "/usr/films/a.mp4"
    assert find_video("../data/films/../a.mp4", settings).address == "/data/a.mp4"
    assert find_video("file:///data/films/../a.mp4", settings).address == "/data/a.mp4"
    assert find_video("~/a.mp4", settings).address == "/home/me/a.mp4"
    assert find_video("file:///data/a%20b%23.mp4", settings).address == "/data/a b#.mp4"
    assert find_video("file://localhost/data/a.mp4", settings).address == "/data/a.mp4"


@pytest.mark.parametrize(
    "address",
    [
        "rtsp://camera/1",
        "ftp://example.org/a.mp4",
        "http://example.org",
        "s3://bucket/",
        "https://me:secret@example.org/a.mp4",
        "http://[::1/a.mp4",
        "file://server/a.mp4",
    ],
)
def test_other_addresses_are_refused(settings: Settings, address: str) -> None:
    with pytest.raises(InputError) as caught:
        find_video(address, settings)

    assert caught.value.code == "bad_address"


def test_a_video_is_the_same_wherever_it_is(
    make_video: MakeVideo, tmp_path: Path, serve: Callable[..., Video], s3: S3, settings: Settings
) -> None:
    path = make_video(tmp_path / "a.mp4", frames=40, crf=5)
    bucket = s3.new_bucket()
    s3.client.upload_file(str(path), bucket.removeprefix("s3://"), "films/a.mp4")
    videos = [
        find_video(str(path), settings),
        find_video(path.as_uri(), settings),
        find_video(f"{bucket}/films/a.mp4", settings),
        serve(path.read_bytes(), ranges=True, headers={"ETag": '"1"'}),
        serve(path.read_bytes(), "whole.mp4", headers={"ETag": '"2"'}),
        serve(path.read_bytes(), "nameless"),
        serve(path.read_bytes(), "odd.%00", headers={"ETag": '"3"'}),
    ]

    for video in videos:
        assert numbers(video) == list(range(40)), video


def test_what_a_server_sends_whole_only_is_fetched_once(
    make_video: MakeVideo, tmp_path: Path, serve: Callable[..., Video], web_server: WebServer
) -> None:
    body = make_video(tmp_path / "a.mkv", frames=40, crf=5).read_bytes()
    video = serve(body, "a.mkv", headers={"ETag": '"1"'})
    told: list[tuple[str, int, int | None]] = []

    with open_video(video, lambda *report: told.append(report)) as container:
        assert picture_stream(container).width == 64
    assert numbers(video) == list(range(40))
    assert len(web_server.requests) == 3  # two looks, and one for all of it
    assert told[-1] == ("fetching", len(body), len(body))

    assert numbers(serve(body + b"\0", "a.mkv", headers={"ETag": '"2"'})) == list(range(40))
    assert len(list((tmp_path / "state/cache/videos/copies").iterdir())) == 2


def test_a_copy_is_there_for_all_who_read_it(
    make_video: MakeVideo, tmp_path: Path, serve: Callable[..., Video], monkeypatch: pytest.MonkeyPatch
) -> None:
    body = make_video(tmp_path / "a.mp4", frames=200, crf=5, noise=True).read_bytes()
    video = serve(body, headers={"ETag": '"1"'})

    with open_video(video) as container:
        frames = container.decode(video=0)
        next(frames)
        assert len(numbers(video)) == 200  # another one has opened it meanwhile
        monkeypatch.setattr(copies, "BUDGET", 0)
        assert len(numbers(serve(body + b"\0", "b.mp4", headers={"ETag": '"2"'}))) == 200  # and it has made room
        assert len(list(frames)) == 199


def test_a_file_that_is_replaced_while_it_is_read_is_noticed(
    make_video: MakeVideo, tmp_path: Path, settings: Settings
) -> None:
    path = make_video(tmp_path / "a.mp4", frames=200, crf=5, noise=True)

    with open_video(find_video(str(path), settings)) as container:
        frames = container.decode(video=0)
        next(frames)
        os.utime(path, (1, 1))
        with pytest.raises(InfrastructureError, match="it changed while it was read"):
            list(frames)


@pytest.mark.parametrize("content", [b"", b"no video", bytes(5000)])
def test_what_is_no_video(tmp_path: Path, serve: Callable[..., Video], content: bytes) -> None:
    (tmp_path / "a.mp4").write_bytes(content)

    for video in (find_video(str(tmp_path / "a.mp4")), serve(content, ranges=True)):
        error = refused(video)
        assert (error.source, error.code) == ("input", "bad_video")
        assert ("it is empty" if not content else "is not a video that can be read") in error.user_message


@pytest.mark.parametrize(
    "content",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nother.ts\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile other.ts\n",
        "\ufeff[playlist]\nFile1=http://127.0.0.1/a.mp4\n",
        '<?xml version="1.0"?>\n<MPD xmlns="urn:mpeg:dash:schema:mpd:2011"></MPD>',
        '<asx version="3.0"><entry><ref href="other.ts"/></entry></asx>',
    ],
)
def test_a_playlist_is_not_followed(
    make_video: MakeVideo, tmp_path: Path, serve: Callable[..., Video], web_server: WebServer, content: str
) -> None:
    make_video(tmp_path / "other.ts")
    for name in ("list.mp4", "list.m3u8"):
        (tmp_path / name).write_text(content)
        for video in (find_video(str(tmp_path / name)), serve(content.encode(), name, ranges=True)):
            error = refused(video)
            assert (error.source, error.code) == ("input", "playlist")
    assert not any("other" in request for request in web_server.requests)


def test_a_file_without_pictures(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "sound.mp4"), "w") as container:
        stream = container.add_stream("aac", rate=44100)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.sample_rate = 44100
        container.mux(stream.encode(frame))
        container.mux(stream.encode())

    error = refused(find_video(str(tmp_path / "sound.mp4")))

    assert (error.source, error.code) == ("input", "no_pictures")


def test_an_mp4_whose_table_is_missing(make_video: MakeVideo, tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mov", frames=60)  # its table stands at the end
    os.truncate(path, path.stat().st_size // 2)

    error = refused(find_video(str(path)))

    assert (error.source, error.code) == ("input", "bad_video")
    assert "cut off, damaged or still being written" in error.user_message


@pytest.mark.timeout(20)
def test_what_is_not_a_regular_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")

    for name in ("pipe.mp4", "", "none.mp4", "pipe.mp4/a"):
        error = refused(find_video(str(tmp_path / name)))
        assert (error.source, error.code) == ("input", "no_video")


@pytest.mark.parametrize(
    ("status", "source", "code"),
    [
        (404, "input", "no_video"),
        (403, "input", "no_video"),
        (302, "input", "no_video"),
        (500, "infrastructure", "unreachable"),
        (503, "infrastructure", "unreachable"),
    ],
)
def test_what_servers_answer(serve: Callable[..., Video], status: int, source: str, code: str) -> None:
    error = refused(serve(status=status, headers={"Location": "/other.mp4"}))

    assert (error.source, error.code) == (source, code)
    assert str(status) in error.user_message


def test_a_server_that_stalls_in_the_middle(
    make_video: MakeVideo, tmp_path: Path, serve: Callable[..., Video], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections_module, "READ_SECONDS", 0.2)
    connections.cache_clear()
    body = make_video(tmp_path / "a.mp4", frames=200, crf=5, noise=True).read_bytes()
    video = serve(body, ranges=True)

    with open_video(video) as container:
        frames = container.decode(video=0)
        next(frames)
        serve(body, ranges=True, sent=0, stalls=True)
        with pytest.raises(InfrastructureError, match="the server stalled") as caught:
            list(frames)

    assert caught.value.code == "unreachable"
    connections.cache_clear()


@pytest.mark.timeout(20)
def test_a_stream_without_an_end_is_not_read(serve: Callable[..., Video], web_server: WebServer) -> None:
    error = refused(serve(bytes(100_000), endless=True))

    assert (error.source, error.code) == ("input", "endless")
    assert web_server.requests == ["GET /films/a.mp4"]


def test_too_much_is_not_fetched_whole(
    make_video: MakeVideo, tmp_path: Path, serve: Callable[..., Video], monkeypatch: pytest.MonkeyPatch
) -> None:
    body = make_video(tmp_path / "a.mp4").read_bytes()
    monkeypatch.setattr(copies, "LARGEST", len(body) - 1)

    error = refused(serve(body))
    assert (error.source, error.code) == ("input", "too_large")

    assert numbers(serve(body, "b.mp4", ranges=True)) == list(range(30))


def test_a_copy_that_does_not_come_whole_is_none(
    make_video: MakeVideo, tmp_path: Path, serve: Callable[..., Video]
) -> None:
    body = make_video(tmp_path / "a.mp4").read_bytes()

    error = refused(serve(body, sent=len(body) // 2, headers={"ETag": "1"}))

    assert (error.source, error.code) == ("infrastructure", "unreachable")
    assert list((tmp_path / "state/cache/videos/copies").iterdir()) == []
    assert numbers(serve(body, headers={"ETag": "1"})) == list(range(30))


def test_a_private_address_is_not_asked(serve: Callable[..., Video], web_server: WebServer) -> None:
    error = refused(Video(serve(b"").address))

    assert (error.source, error.code) == ("input", "no_video")
    assert "is not a public address" in error.user_message
    assert web_server.requests == []


def test_an_object_that_is_not_there(s3: S3, settings: Settings) -> None:
    error = refused(find_video(f"{s3.new_bucket()}/a.mp4", settings))

    assert (error.source, error.code) == ("input", "no_video")
