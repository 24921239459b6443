"""What somebody sends who means harm, or whose program is broken: refused or bounded, and the server lives on."""

import asyncio
import json
import socket
import time
from collections.abc import Iterator
from contextlib import closing, suppress

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from cv_pipelines.web import bounds, careful_http
from cv_pipelines.web.bounds import Bounds
from cv_pipelines.web.problems import Refused
from cv_pipelines.web.static_files import prefix
from tests.installation import wait_for
from tests.web_site import Site

WAIT = 60.0


def raw(url: str, request: bytes, most: float = WAIT) -> bytes:
    """Send bytes as they are; returns all that comes until the other side hangs up."""
    host, port = url.removeprefix("http://").rsplit(":", 1)
    with closing(socket.create_connection((host, int(port)), timeout=most)) as connection:
        with suppress(ConnectionError):  # it may hang up before all has come
            connection.sendall(request)
        return b"".join(received(connection))


def received(connection: socket.socket) -> Iterator[bytes]:
    try:
        while data := connection.recv(65536):
            yield data
    except ConnectionResetError:
        pass


def statuses(answer: bytes) -> list[int]:
    return [int(part.split(b" ", 1)[0]) for part in answer.split(b"HTTP/1.1 ")[1:]]


def test_a_hundred_tabs_are_answered_or_told_to_wait_and_others_are_served(site: Site, url: str) -> None:
    async def open_all() -> tuple[list[httpx.Response], httpx.Response]:
        limits = httpx.Limits(max_connections=None)
        async with (
            httpx.AsyncClient(base_url=url, timeout=WAIT, limits=limits, headers=site.bearer("annotator")) as tabs,
            httpx.AsyncClient(base_url=url, timeout=WAIT, headers=site.bearer("viewer")) as other,
        ):
            pages = [asyncio.create_task(tabs.get("/datasets/shapes")) for _ in range(100)]
            await asyncio.sleep(0.05)
            return await asyncio.gather(*pages), await other.get("/datasets/odd")

    pages, other = asyncio.run(open_all())

    assert other.status_code == 200
    assert {page.status_code for page in pages} <= {200, 429}
    assert sum(page.status_code == 200 for page in pages) >= bounds.MOST_AT_ONCE
    assert all(page.headers["Retry-After"] == "1" for page in pages if page.status_code == 429)
    assert httpx.get(f"{url}/datasets/shapes", timeout=WAIT, headers=site.bearer("annotator")).status_code == 200


ANY_TEXT = st.text(st.characters(codec=None), max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass"))


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    ANY_TEXT,
    ANY_TEXT,
    st.sampled_from(["/datasets/{}", "/datasets/{}/images/{}/thumbnail", "/upload/{}", f"{prefix()}/{{}}"]),
)
def test_no_path_and_no_query_is_a_mistake_of_ours(
    site: Site, client: httpx.Client, first: bytes, second: bytes, path: str
) -> None:
    one, two = ("".join(f"%{byte:02x}" for byte in part) for part in (first, second))
    answer = client.get(
        f"{path.format(one, two)}?after={two}&before={one}&size={two}&q={one}&dataset={two}",
        headers=site.bearer("admin"),
    )

    assert answer.status_code < 500, answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/datasets/%00",
        "/datasets?q=%00",
        "/datasets/sh%00apes",
        "/datasets/%ff%fe",
        "/datasets/%ed%a0%80",
        "/datasets/..%2f..%2fetc",
        f"{prefix()}/%00",
        f"{prefix()}/..%5c..%5c",
    ],
)
def test_signs_that_no_name_has_lead_nowhere(site: Site, client: httpx.Client, path: str) -> None:
    assert client.get(path, headers=site.bearer("viewer")).status_code in (400, 404, 422)


@pytest.mark.parametrize("role", ["viewer", "annotator", "admin"])
def test_nothing_changes_by_looking(site: Site, client: httpx.Client, role: str) -> None:
    for path in ("/datasets/shapes", "/datasets", "/logout", "/login"):
        assert client.get(path, headers=site.bearer(role)).status_code in (200, 405)


def test_long_addresses_and_heads_are_refused(site: Site, client: httpx.Client, url: str) -> None:
    long = client.get("/datasets", params={"q": "x" * 9000}, headers=site.bearer("viewer"))
    head = b"GET /healthy HTTP/1.1\r\nHost: localhost\r\n"

    assert (long.status_code, long.json()["code"]) == (414, "address")
    for more in (b"X: " + b"a" * 500_000, b"".join(b"X%d: a\r\n" % n for n in range(60_000))):
        assert set(statuses(raw(url, head + more))) <= {431}
    assert client.get("/healthy").text == "ok"


def test_what_follows_a_body_is_bounded_as_its_head_is(site: Site, url: str) -> None:
    head = b"POST /login HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n"
    fields = b"".join(b"X%d: a\r\n" % number for number in range(200_000))
    for more in (b"0\r\n" + fields, b"0\r\nX: " + b"a" * 2_000_000, b"1;" + b"a" * 2_000_000):
        assert set(statuses(raw(url, head + more))) <= {431}

    small = b"0\r\nX: a\r\n\r\n"
    close = head.replace(b"Host: localhost", b"Host: localhost\r\nConnection: close")
    assert statuses(raw(url, close + small)) == [401], "what is small does no harm"
    pieces = b"".join(b"400\r\n" + b"b" * 1024 + b"\r\n" for _ in range(900))
    assert statuses(raw(url, close + pieces + small)) == [401], "nor does a body of many pieces"


def test_two_lengths_are_none(url: str) -> None:
    """Where servers differ about where a request ends, another one can be hidden in it (RFC 9112, 11.2)."""
    hidden = b"GET /healthy HTTP/1.1\r\nHost: localhost\r\n\r\n"
    head = b"POST /login HTTP/1.1\r\nHost: localhost\r\n"
    for lengths in (
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        b"Content-Length: 5\r\nContent-Length: 6\r\n",
        b"Content-Length: +5\r\n",
        b"Content-Length: 5,5\r\n",
        b"Transfer-Encoding: chunked, identity\r\n",
        b"Transfer-Encoding: \x0bchunked\r\n",
        b"Content-Length : 5\r\n",
    ):
        answer = raw(url, head + lengths + b"\r\n0\r\n\r\n" + hidden)
        assert statuses(answer) in ([400], [413], [501]), (lengths, answer)
        assert b"ok" not in answer.rpartition(b"\r\n\r\n")[2]


@pytest.mark.parametrize(
    "request_",
    [
        b"\x00\x01\x02\x03\r\n\r\n",
        b"GET\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n",
    ],
)
def test_what_is_no_request_is_answered_so(url: str, request_: bytes) -> None:
    assert statuses(raw(url, request_ + b"\r\n\r\n"))[:1] in ([400], [505])


def test_a_head_that_never_ends_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same protocol with less patience; a later request on the connection is watched as the first one is."""
    import uvicorn

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        await Response("ok")(scope, receive, send)

    async def talk() -> list[tuple[bytes, float]]:
        config = uvicorn.Config(
            application, port=0, http=careful_http.CarefulHttp, log_level="error", lifespan="off"
        )
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        heads = [b"", b"GET / HTTP/1.1\r\nHost: a\r\n", b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nX"]
        ended = await asyncio.gather(*(drip(port, head) for head in heads))
        server.should_exit = True
        await serving
        return ended

    async def drip(port: int, head: bytes) -> tuple[bytes, float]:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        started = time.monotonic()
        writer.write(head)
        reading = asyncio.create_task(reader.read())
        while not reading.done() and time.monotonic() - started < 20:
            if head:
                writer.write(b"a")
            await asyncio.sleep(0.05)
        writer.close()
        return await reading, time.monotonic() - started

    monkeypatch.setattr(careful_http, "HEAD_SECONDS", 0.6)
    nothing, unfinished, second = asyncio.run(talk())

    assert [statuses(answer) for answer, _ in (nothing, unfinished, second)] == [[408], [408], [200, 408]]
    assert all(took < 20 for _, took in (nothing, unfinished, second))


def test_a_body_that_drips_is_given_up_and_a_slow_one_that_flows_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "GRACE_SECONDS", 0.3)

    async def send_slowly(piece: bytes, times: int) -> int:
        async def application(scope: Scope, receive: Receive, send: Send) -> None:
            body = await Request(scope, receive).body()
            await Response(str(len(body)))(scope, receive, send)

        sent: list[Message] = []
        left = times

        async def receive() -> Message:
            nonlocal left
            await asyncio.sleep(0.05)
            left -= 1
            return {"type": "http.request", "body": piece, "more_body": left > 0}

        async def send(message: Message) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "method": "POST",
            "path": "/",
            "raw_path": b"/",
            "query_string": b"",
            "scheme": "http",
            "headers": [(b"host", b"localhost")],
        }
        try:
            await Bounds(application, ["localhost"])(scope, receive, send)
        except Refused as refused:
            return refused.status_code
        return int(sent[0]["status"])

    assert asyncio.run(send_slowly(b"a", 1000)) == 408
    assert asyncio.run(send_slowly(bytes(2048), 12)) == 200


def test_what_was_refused_is_in_the_log_as_that(site: Site, client: httpx.Client) -> None:
    client.put("/upload/new/files", params={"name": "../1.png"}, content=b"-", headers=site.bearer("viewer"))

    def lines() -> list[dict[str, object]]:
        found = [json.loads(line) for line in site.log.read_text().splitlines()]
        return [line for line in found if line.get("route") == "/upload/{dataset}/files"]

    wait_for(lambda: bool(lines()))
    assert (lines()[-1]["status"], lines()[-1]["who"]) == (403, "viewer")
