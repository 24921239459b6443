"""What is refused before anybody looks at what is asked for, and how it is said."""

import asyncio
import json
from collections.abc import Iterator

import httpx
import pytest
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from cv_pipelines.web.bounds import Bounds
from cv_pipelines.web.static_files import prefix, static
from tests.web_site import Site

PAGE = {"Accept": "text/html"}


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", "", "localhost@evil"]
)
def test_a_name_that_is_not_ours_is_refused(client: httpx.Client, host: str) -> None:
    answer = client.get("/healthy", headers={"Host": host})

    assert (answer.status_code, answer.json()["code"]) == (400, "host")


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "127.0.0.1:1", "[::1]:8000"])
def test_names_that_are_ours_are_answered_at_any_port(client: httpx.Client, host: str) -> None:
    assert client.get("/healthy", headers={"Host": host}).text == "ok"


@pytest.mark.parametrize(
    "says",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_forms_of_other_sites_are_refused_before_the_token_is_looked_at(
    site: Site, client: httpx.Client, says: dict[str, str]
) -> None:
    answer = client.post("/login", data={"token": site.tokens["viewer"]}, headers=says)

    assert (answer.status_code, answer.json()["code"]) == (403, "origin")
    assert "Set-Cookie" not in answer.headers


def test_our_own_forms_are_taken(site: Site, client: httpx.Client) -> None:
    says = {"Origin": str(client.base_url).rstrip("/"), "Sec-Fetch-Site": "same-origin"}

    assert client.post("/login", data={"token": site.tokens["viewer"]}, headers=says).status_code == 303


def test_a_large_body_is_refused_whether_its_length_is_told_or_not(client: httpx.Client) -> None:
    def endless() -> Iterator[bytes]:
        yield b"token="
        for _ in range(64):
            yield bytes(64 * 1024)

    form = {"Content-Type": "application/x-www-form-urlencoded"}
    told = client.post("/login", content=b"x" * (2 * 1024**2), headers=form)
    untold = client.post("/login", content=endless(), headers=form)

    for answer in (told, untold):
        assert answer.status_code == 413
        assert "1 MiB" in answer.json()["detail"]


def test_problems_are_json_for_programs_and_a_page_for_people(site: Site, client: httpx.Client) -> None:
    for path, method, status in [
        ("/nothing", "GET", 404),
        ("/datasets/nobody", "GET", 404),
        ("/datasets/shapes", "DELETE", 405),
        ("/datasets/shapes?after=<b>", "GET", 422),
        (f"/datasets/shapes/images/{'0' * 64}/thumbnail", "GET", 404),
        (f"/datasets/shapes/images/{'0' * 64}/thumbnail?size=9999", "GET", 422),
        ("/static/style.css", "GET", 404),
        ("/static/0123456789abcdef/style.css", "GET", 404),
        (f"{prefix()}/../../application.py", "GET", 404),
        (f"{prefix()}/%2e%2e/application.py", "GET", 404),
        ("/docs", "GET", 404),
    ]:
        told = client.request(method, path, headers=site.bearer("viewer"))
        shown = client.request(method, path, headers={**site.bearer("viewer"), **PAGE})

        assert told.headers["Content-Type"] == "application/problem+json", path
        body = told.json()
        assert (told.status_code, body["status"], set(body)) == (
            status,
            status,
            {"type", "title", "status", "detail", "code"},
        )
        assert shown.status_code == status
        assert shown.headers["Content-Type"].startswith("text/html")
        assert body["title"] in shown.text


def test_every_answer_forbids_what_pages_of_ours_do_not_need(site: Site, client: httpx.Client) -> None:
    answers = [
        client.get("/login"),
        client.get("/nothing"),
        client.get("/datasets", headers=site.bearer("viewer")),
        client.get("/datasets", headers={"Host": "evil.example"}),
        client.get(static("style.css")),
    ]
    for answer in answers:
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy
        assert all(f"{name} 'none'" in policy for name in ("frame-ancestors", "base-uri", "object-src"))
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "server" not in answer.headers
    kept = [answer.headers["Cache-Control"] for answer in answers]
    assert kept == [*["no-store"] * 4, "public, max-age=31536000, immutable"]


def test_the_log_has_a_line_for_a_request_and_no_secret(site: Site, client: httpx.Client) -> None:
    secret = "0123456789abcdef"  # noqa: S105 - any
    client.get(f"/datasets/shapes?after={secret}", headers=site.bearer("annotator"))
    client.post("/login", data={"token": f"cv_{secret}"})
    client.get("/login", params={"next": f"/{secret}"})

    text = site.log.read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    seen = [line for line in lines if line["event"] == "request" and line["route"] == "/datasets/{name}"][-1]
    assert (seen["method"], seen["status"], seen["who"]) == ("GET", 200, "annotator")
    assert seen["ms"] > 0
    assert secret not in text
    assert not any(token in text for token in site.tokens.values())


def test_a_client_that_asks_for_too_much_at_once_waits_and_others_do_not() -> None:
    async def answer() -> tuple[list[int], int]:
        busy = asyncio.Event()

        async def application(scope: Scope, receive: Receive, send: Send) -> None:
            await busy.wait()
            await Response("ok")(scope, receive, send)

        transport = httpx.ASGITransport(Bounds(application, ["localhost"]))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            tabs = [asyncio.create_task(client.get("/", headers={"Cookie": "cv_session=a"})) for _ in range(70)]
            other = asyncio.create_task(client.get("/", headers={"Cookie": "cv_session=b"}))
            await asyncio.wait(tabs, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.sleep(0)
            busy.set()
            answers = await asyncio.gather(*tabs)
            assert (await client.get("/", headers={"Cookie": "cv_session=a"})).status_code == 200
            return [one.status_code for one in answers], (await other).status_code

    tabs, other = asyncio.run(answer())

    assert (tabs.count(200), tabs.count(429), other) == (64, 6, 200)
