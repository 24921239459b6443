"""A web server that answers what a test tells it to, and fails in every way."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


@dataclass(frozen=True)
class Answer:
    """What a web server answers.

    Attributes:
        status: of HTTP.
        body: the content.
        headers: besides its length.
        sent: how many bytes of the body are sent before the connection is cut; None: all.
        stalls: nothing more comes after that, and the connection stays.
        ranges: parts are sent, where they are asked for.
        endless: it says no length, and sends its body again and again.
    """

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    sent: int | None = None
    stalls: bool = False
    ranges: bool = False
    endless: bool = False


@dataclass
class WebServer:
    """A running web server.

    Attributes:
        url: its address.
        answers: by path; there is nothing elsewhere.
        requests: what it was asked, as `METHOD path`.
        sent: bytes of bodies that it has sent.
    """

    url: str
    answers: dict[str, Answer] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    sent: int = 0


def _part(answer: Answer, asked: str) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of an answer to a request for a part (`bytes=0-99`) or for all."""
    if not (answer.ranges and asked and answer.status == 200):
        return answer.status, {}, answer.body
    size = len(answer.body)
    first, last = (int(end) for end in asked.removeprefix("bytes=").split("-"))
    if first >= size:
        return 416, {"Content-Range": f"bytes */{size}"}, b""
    body = answer.body[first : last + 1]
    return 206, {"Content-Range": f"bytes {first}-{first + len(body) - 1}/{size}"}, body


@pytest.fixture
def web_server() -> Iterator[WebServer]:
    """A web server on a free port of 127.0.0.1."""
    ended = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            server.requests.append(f"{self.command} {path}")
            answer = server.answers.get(path, Answer(404))
            status, headers, body = _part(answer, self.headers.get("Range", ""))
            self.send_response(status)
            for name, value in {**answer.headers, **headers}.items():
                self.send_header(name, value)
            if not answer.endless:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command == "GET":
                self.send(body[: answer.sent])
            while answer.endless and self.send(body):
                pass
            if answer.stalls:
                ended.wait(30)
            self.close_connection = answer.stalls or answer.endless or answer.sent is not None

        def send(self, body: bytes) -> bool:
            """Send something; returns whether anybody is still there."""
            with suppress(OSError):
                server.sent += len(body)  # whoever has read it all finds it counted
                self.wfile.write(body)
                return not ended.is_set()
            return False

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
