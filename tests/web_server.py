"""A web server that answers what a test tells it to, and fails in every way."""

import threading
from collections.abc import Iterator, Mapping
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
