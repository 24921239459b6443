"""Telling a receiver of ours that behaves in every way: the answer says so, in time."""

import hashlib
import hmac
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from cv_pipelines.tasks.webhooks import post

HERE = ("127.0.0.0/8",)
BODY = '{"state":"succeeded","note":"ä"}'.encode()
LIMIT = 0.5
IN_TIME = 1500
"""Milliseconds: the limit, and what a busy machine adds."""


@dataclass
class Receiver:
    url: str
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            found.requests.append((self.path, dict(self.headers), content))
            self.send_response(found.status)
            for name, value in found.headers.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found = Receiver(f"http://127.0.0.1:{server.server_port}")
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield found
    server.shutdown()
    server.server_close()


@contextmanager
def line(behave: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that does with each connection what a function says; yields its address."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with suppress(OSError):  # the other side, or the test, has ended it
                connection, _ = server.accept()
                with connection:
                    behave(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        thread.join(5)
        assert not thread.is_alive()


def drip(text: bytes) -> Callable[[socket.socket], None]:
    def behave(connection: socket.socket) -> None:
        connection.recv(65536)
        for _ in range(2000):
            connection.sendall(text)
            time.sleep(0.02)

    return behave


def nothing(connection: socket.socket) -> None:
    while connection.recv(65536):
        pass


def await_threads() -> None:
    """Nothing may be left that waits for a receiver."""
    for thread in threading.enumerate():
        if thread.name == "webhook":
            thread.join(3)
            assert not thread.is_alive()


def test_a_receiver_gets_the_body_signed(receiver: Receiver) -> None:
    headers = {"X-Task-Id": "a", "X-Event-Number": "3"}

    answer = post(f"{receiver.url}/hook?key=1", BODY, "shared secret", HERE, headers)

    assert (answer.status, answer.error) == (200, "")
    assert 0 <= answer.milliseconds < 5000
    ((path, got, content),) = receiver.requests
    assert (path, content) == ("/hook?key=1", BODY)
    expected = hmac.new(b"shared secret", BODY, hashlib.sha256).hexdigest()
    assert got["X-Signature-256"] == f"sha256={expected}"
    assert (got["X-Task-Id"], got["X-Event-Number"], got["Content-Type"]) == ("a", "3", "application/json")


def test_without_a_secret_nothing_looks_signed(receiver: Receiver) -> None:
    assert post(receiver.url, BODY, "", HERE).error == ""

    ((_, got, _),) = receiver.requests
    assert "X-Signature-256" not in got


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_every_kind_of_yes_is_one(receiver: Receiver, status: int) -> None:
    receiver.status = status

    answer = post(receiver.url, BODY, "s", HERE)

    assert (answer.status, answer.error) == (status, "")


@pytest.mark.parametrize("status", [400, 401, 404, 410, 429, 500, 503])
def test_any_other_answer_is_told(receiver: Receiver, status: int) -> None:
    receiver.status = status

    answer = post(receiver.url, BODY, "s", HERE)

    assert (answer.status, answer.error) == (status, f"the server answers {status}")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(receiver: Receiver, status: int) -> None:
    receiver.status, receiver.headers = status, {"Location": f"{receiver.url}/other"}

    answer = post(receiver.url, BODY, "s", HERE)

    assert answer.status == status
    assert "redirects" in answer.error
    assert len(receiver.requests) == 1


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1", "2130706433"])
def test_an_address_inside_is_never_connected_to(receiver: Receiver, host: str) -> None:
    answer = post(receiver.url.replace("127.0.0.1", host), BODY, "s", ())

    assert answer.status is None
    assert "is not a public address" in answer.error
    assert receiver.requests == []


@pytest.mark.parametrize(
    ("behave", "scheme"),
    [
        (nothing, "http"),
        (drip(b"H"), "http"),
        (drip(b"HTTP/1.1 100 Continue\r\n\r\n"), "http"),
        (drip(b"HTTP/1.1 200 OK\r\nX-1: 1\r\n"), "http"),
        (nothing, "https"),
        (drip(b"\x16\x03\x03\x40\x00\x02"), "https"),
    ],
    ids=["silent", "drips", "goes on", "headers without end", "no handshake", "a slow handshake"],
)
def test_a_receiver_that_takes_its_time_is_left_in_time(
    behave: Callable[[socket.socket], None], scheme: str
) -> None:
    with line(behave) as address:
        answer = post(f"{scheme}://{address}/", BODY, "s", HERE, limit=LIMIT)

    assert answer.status is None
    assert answer.error
    assert answer.milliseconds < IN_TIME
    await_threads()


def test_a_receiver_that_does_not_read_is_left_in_time() -> None:
    with line(lambda _: time.sleep(1)) as address:
        answer = post(f"http://{address}/", bytes(50 << 20), "s", HERE, limit=LIMIT)

    assert (answer.status, answer.error) == (None, "no answer within 0.5 s")
    assert answer.milliseconds < IN_TIME


def test_a_name_server_that_answers_too_late_holds_nobody_up(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, resolve = threading.Event(), socket.getaddrinfo

    def resolve_late(host: str, *arguments: Any, **options: Any) -> Any:
        asked.wait(10)
        return resolve("127.0.0.1", *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolve_late)

    answer = post(receiver.url.replace("127.0.0.1", "hooks.example"), BODY, "s", HERE, limit=LIMIT)
    asked.set()
    await_threads()

    assert (answer.status, answer.error) == (None, "no answer within 0.5 s")
    assert answer.milliseconds < IN_TIME
    assert receiver.requests == []  # what has been told as not delivered is not delivered after that


@pytest.mark.parametrize(
    ("behave", "scheme", "error"),
    [
        (lambda _: None, "http", "the server broke the connection off"),
        (lambda connection: connection.sendall(b"220 mail\r\n"), "http", "the server "),
        (lambda connection: connection.sendall(b"HTTP/1.1 999999 \r\n\r\n"), "http", "the server "),
        (lambda connection: connection.sendall(b"\0" * 100_000), "http", "the server "),
        (lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 500), "http", "the server "),
        (lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n"), "https", "no secure connection"),
    ],
    ids=["hangs up", "mail", "status", "zeros", "headers", "no TLS"],
)
def test_whatever_a_server_says_is_an_answer(
    behave: Callable[[socket.socket], None], scheme: str, error: str
) -> None:
    def serve(connection: socket.socket) -> None:
        connection.recv(65536)
        behave(connection)

    with line(serve) as address:
        answer = post(f"{scheme}://{address}/", BODY, "s", HERE, limit=2)

    assert answer.status is None
    assert error in answer.error


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("http://127.0.0.1:1/", "the server cannot be reached"),
        ("http://nobody.invalid/", "there is no server of this name"),
        ("http://[::1/", "this is no URL of a web server"),
        ("ftp://hooks.example/", "this is no URL of a web server"),
        ("http://", "this is no URL of a web server"),
    ],
)
def test_a_receiver_that_is_not_there_is_told(url: str, error: str) -> None:
    answer = post(url, BODY, "s", HERE, limit=5)

    assert (answer.status, answer.error) == (None, error)


def test_a_long_answer_is_not_waited_for() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n"

    def serve(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(head)
        nothing(connection)

    with line(serve) as address:
        answer = post(f"http://{address}/", BODY, "s", HERE, limit=2)

    assert (answer.status, answer.error) == (200, "")
    assert answer.milliseconds < 2000


def test_a_fault_of_ours_never_counts_as_delivered(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading, "excepthook", lambda *_: None)
    monkeypatch.setattr("urllib3.util.parse_url", lambda _: None)

    answer = post(receiver.url, BODY, "s", HERE)

    assert (answer.status, answer.error) == (None, "a fault in the platform: nothing was sent")
