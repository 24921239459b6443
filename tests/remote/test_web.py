"""Files at URLs, from a web server of our own, which is not public."""

import http.server
import socket
import ssl
import subprocess
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cv_pipelines.remote import connections as connections_module
from cv_pipelines.remote import web as web_module
from cv_pipelines.remote.connections import connections
from cv_pipelines.remote.web import read_url, url_facts, url_stamp
from tests.web_server import Answer, WebServer

HERE = ("127.0.0.0/8",)
MOST = 10_000_000


@pytest.fixture
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections_module, "READ_SECONDS", 0.3)
    connections.cache_clear()


def test_a_file_is_fetched(web_server: WebServer) -> None:
    content = bytes(range(256)) * 20_000
    web_server.answers["/größe/1.png"] = Answer(body=content)
    web_server.answers["/gr%C3%B6%C3%9Fe/1.png"] = Answer(body=content)

    assert read_url(f"{web_server.url}/größe/1.png?size=large#top", HERE, MOST) == content


def test_one_connection_serves_many_files(web_server: WebServer) -> None:
    web_server.answers["/1.png"] = Answer(body=b"content", headers={"ETag": '"1"'})
    connections.cache_clear()

    for _ in range(5):
        url_stamp(f"{web_server.url}/1.png", HERE)
        read_url(f"{web_server.url}/1.png", HERE, MOST)

    (pool,) = (connections(HERE).pools[key] for key in connections(HERE).pools.keys())  # noqa: SIM118 - no iterator
    assert pool.num_connections == 1


@pytest.mark.parametrize(
    ("headers", "stamp"),
    [
        ({"ETag": '"abc"', "Last-Modified": "Mon"}, '"abc"'),
        ({"Last-Modified": "Mon, 01 Jan 2024"}, "Mon, 01 Jan 2024:7"),
        ({}, ""),
    ],
)
def test_the_stamp_is_what_the_server_says_of_the_version(
    web_server: WebServer, headers: dict[str, str], stamp: str
) -> None:
    web_server.answers["/1.png"] = Answer(body=b"content", headers=headers)

    assert url_stamp(f"{web_server.url}/1.png", HERE) == stamp
    assert web_server.requests == ["HEAD /1.png"]


@pytest.mark.parametrize(
    ("changed", "modified"),
    [
        ("Mon, 01 Jan 2024 10:00:00 GMT", datetime(2024, 1, 1, 10, tzinfo=UTC)),
        ("Mon, 01 Jan 2024 10:00:00 -0000", datetime(2024, 1, 1, 10, tzinfo=UTC)),
        ("yesterday", None),
        ("Mon, 99 Jan 2024 10:00:00 GMT", None),
    ],
)
def test_a_time_that_is_none_is_no_fault_of_the_file(
    web_server: WebServer, changed: str, modified: datetime | None
) -> None:
    web_server.answers["/a.mp4"] = Answer(body=b"content", headers={"Last-Modified": changed}, ranges=True)

    facts = url_facts(f"{web_server.url}/a.mp4", HERE)

    assert (facts.size, facts.stamp, facts.modified) == (7, f"{changed}:7", modified)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "127.1", "2130706433"])
def test_an_address_that_is_not_public_is_never_connected_to(web_server: WebServer, host: str) -> None:
    port = web_server.url.rpartition(":")[2]

    with pytest.raises(OSError, match=r"is not a public address\. Name it in CV_URL_ALLOW"):
        read_url(f"http://{host}:{port}/1.png", (), MOST)

    assert web_server.requests == []


def test_a_host_may_be_allowed_by_its_name(web_server: WebServer) -> None:
    web_server.answers["/1.png"] = Answer(body=b"content")
    port = web_server.url.rpartition(":")[2]

    assert read_url(f"http://LOCALHOST:{port}/1.png", ("localhost",), MOST) == b"content"


def test_a_name_that_stands_for_another_address_a_moment_later_gains_nothing(
    web_server: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    web_server.answers["/1.png"] = Answer(body=b"content")
    answers = iter(["127.0.0.1", "10.0.0.1"])
    asked: list[object] = []

    def resolve(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        asked.append(host)
        address = host if host[0].isdigit() else next(answers)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    port = web_server.url.rpartition(":")[2]

    assert read_url(f"http://turning.example:{port}/1.png", HERE, MOST) == b"content"
    assert asked == ["turning.example", "127.0.0.1"]
    connections.cache_clear()
    with pytest.raises(OSError, match="not a public address"):
        read_url(f"http://turning.example:{port}/1.png", HERE, MOST)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(web_server: WebServer, status: int) -> None:
    web_server.answers["/1.png"] = Answer(status, headers={"Location": "/2.png"})
    web_server.answers["/2.png"] = Answer(body=b"content")

    with pytest.raises(OSError, match=rf"redirects \({status}\), which is not followed"):
        read_url(f"{web_server.url}/1.png", HERE, MOST)
    with pytest.raises(OSError, match="redirects"):
        url_stamp(f"{web_server.url}/1.png", HERE)

    assert "GET /2.png" not in web_server.requests


@pytest.mark.parametrize("status", [204, 206, 401, 403, 404, 429, 500, 503])
def test_any_other_answer_is_told(web_server: WebServer, status: int) -> None:
    web_server.answers["/1.png"] = Answer(status)

    with pytest.raises(OSError, match=f"the server answers {status}"):
        read_url(f"{web_server.url}/1.png", HERE, MOST)


@pytest.mark.usefixtures("_impatient")
@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(body=b"0123456789", sent=4), "the server broke the connection off"),
        (Answer(body=b"0123456789", sent=4, stalls=True), "the server stalled in the middle"),
    ],
    ids=["cut off", "stalled"],
)
def test_a_file_that_does_not_come_whole_is_none(web_server: WebServer, answer: Answer, words: str) -> None:
    web_server.answers["/1.png"] = answer

    with pytest.raises(OSError, match=words):
        read_url(f"{web_server.url}/1.png", HERE, MOST)


def test_a_server_that_trickles_is_given_up(web_server: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_module, "TOTAL_SECONDS", 0)
    web_server.answers["/1.png"] = Answer(body=b"content")

    with pytest.raises(OSError, match="the server is too slow"):
        read_url(f"{web_server.url}/1.png", HERE, MOST)


def test_more_than_is_wanted_is_not_taken(web_server: WebServer) -> None:
    web_server.answers["/fits.png"] = Answer(body=bytes(1000))
    web_server.answers["/large.png"] = Answer(body=bytes(1001))

    assert len(read_url(f"{web_server.url}/fits.png", HERE, 1000)) == 1000
    with pytest.raises(OSError, match="larger than"):
        read_url(f"{web_server.url}/large.png", HERE, 1000)


def test_what_is_sent_packed_is_not_unpacked(web_server: WebServer) -> None:
    web_server.answers["/1.png"] = Answer(body=b"\x1f\x8bpacked", headers={"Content-Encoding": "gzip"})

    assert read_url(f"{web_server.url}/1.png", HERE, MOST) == b"\x1f\x8bpacked"


def test_a_server_that_is_not_there_is_told(web_server: WebServer) -> None:
    with pytest.raises(OSError, match="the server cannot be reached"):
        read_url("http://127.0.0.1:1/1.png", HERE, MOST)
    with pytest.raises(OSError, match="there is no server of this name"):
        read_url("http://nobody.invalid/1.png", HERE, MOST)


def test_a_certificate_that_nobody_vouches_for_is_not_accepted(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "1"]
    subprocess.run([*command, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        with pytest.raises(OSError, match="the server's certificate is not valid"):
            read_url(f"https://localhost:{server.server_port}/1.png", ("localhost",), MOST)
        server.shutdown()
