"""What tests of several sources share: videos, and a web server that fails in every way."""

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray


def frame_pixels(number: int) -> NDArray[np.uint8]:
    """A picture of eight bars that write the frame's number in binary, under a red edge."""
    bars = np.array([255 * (number >> bit & 1) for bit in range(8)], np.uint8)
    pixels = np.repeat(np.tile(np.repeat(bars, 8), (48, 1))[..., np.newaxis], 3, axis=2)
    pixels[:8] = (230, 20, 20)
    return pixels


@pytest.fixture(scope="session")
def make_video() -> Callable[..., Path]:
    """`make_video(path, frames, rate, codec, rotation, **options)`: pictures that tell their number."""

    def make(
        path: Path,
        frames: int = 30,
        rate: int | Fraction = 30,
        codec: str = "libx264",
        rotation: int = 0,
        **options: Any,
    ) -> Path:
        given = {"g": 10, "bf": 2, "threads": 1} | options
        with av.open(
            str(path), "w", options={"movflags": "faststart"} if path.suffix == ".mp4" else {}
        ) as container:
            stream = container.add_stream(codec, rate=rate, options={name: str(given[name]) for name in given})
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
            if rotation:
                stream.set_display_rotation(rotation)
            for number in range(frames):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(frame_pixels(number), "rgb24")))
            container.mux(stream.encode())
        return path

    return make


@dataclass(frozen=True)
class Answer:
    """What a web server answers.

    Attributes:
        status: of HTTP.
        body: the content.
        headers: besides its length.
        sent: how many bytes of the body are sent before the connection is cut; None: all.
        stalls: nothing more comes after that, and the connection stays.
    """

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    sent: int | None = None
    stalls: bool = False


@dataclass
class WebServer:
    """A running web server.

    Attributes:
        url: its address.
        answers: by path; there is nothing elsewhere.
        requests: what it was asked, as `METHOD path`.
    """

    url: str
    answers: dict[str, Answer] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)


@pytest.fixture
def web_server() -> Iterator[WebServer]:
    """A web server on a free port of 127.0.0.1."""
    ended = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            server.requests.append(f"{self.command} {path}")
            answer = server.answers.get(path, Answer(404))
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(answer.body[: answer.sent])
            if answer.stalls:
                ended.wait(30)
            self.close_connection = answer.stalls or answer.sent is not None

        do_HEAD = do_GET  # noqa: N815 - the name that the library asks for

        def log_message(self, *_: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server = WebServer(f"http://127.0.0.1:{http.server_port}")
    threading.Thread(target=http.serve_forever, args=(0.02,), daemon=True).start()
    yield server
    ended.set()
    http.shutdown()
    http.server_close()
