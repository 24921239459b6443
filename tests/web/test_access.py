"""Who gets in, as what, and how they get out again."""

import re
import threading
from collections.abc import Iterator

import httpx
import pytest
import uvicorn

from cv_pipelines.settings import load_settings
from cv_pipelines.web.access import Admin, Annotator, Viewer
from cv_pipelines.web.application import assemble
from cv_pipelines.web.platform import open_platform
from cv_pipelines.web.serving import listen
from cv_pipelines.web.tokens import Role, create_token, revoke_token
from tests.web_site import Site

PAGE = {"Accept": "text/html"}
WAIT = 60.0
"""Seconds: processes may still be starting, on a busy machine."""


def log_in(client: httpx.Client, token: str, **more: str) -> httpx.Response:
    return client.post("/login", data={"token": token, **more}, headers=PAGE)


def csrf_of(client: httpx.Client) -> str:
    found = re.search(r'name="csrf" value="([0-9a-f]{64})"', client.get("/datasets", headers=PAGE).text)
    assert found
    return found[1]


@pytest.fixture
def roles(site: Site, monkeypatch: pytest.MonkeyPatch) -> Iterator[httpx.Client]:
    """An application with a page for each role, as later ones will be."""
    for name, value in site.installation.environment.items():
        monkeypatch.setenv(name, value)
    load_settings.cache_clear()
    settings = load_settings()
    application = assemble(open_platform(settings), settings)
    for name, needed in (("viewer", Viewer), ("annotator", Annotator), ("admin", Admin)):

        def page(who: needed) -> str:  # type: ignore[valid-type]
            return str(who.name)  # type: ignore[attr-defined]

        application.post(f"/needs/{name}")(page)
    listening = listen("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(application, log_level="warning"))
    serving = threading.Thread(target=server.run, args=([listening],))
    serving.start()
    with httpx.Client(base_url=f"http://127.0.0.1:{listening.getsockname()[1]}", timeout=WAIT) as one:
        yield one
    server.should_exit = True
    serving.join()
    load_settings.cache_clear()


@pytest.mark.parametrize("has", ["viewer", "annotator", "admin"])
@pytest.mark.parametrize("needs", ["viewer", "annotator", "admin"])
def test_a_role_may_do_what_lower_ones_may(site: Site, roles: httpx.Client, has: str, needs: str) -> None:
    answer = roles.post(f"/needs/{needs}", headers=site.bearer(has))

    if Role[has.upper()] >= Role[needs.upper()]:
        assert (answer.status_code, answer.json()) == (200, has)
    else:
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


def test_a_change_with_a_cookie_needs_the_token_of_its_own_session(site: Site, roles: httpx.Client) -> None:
    assert log_in(roles, site.tokens["annotator"]).status_code == 303
    with httpx.Client(base_url=roles.base_url, timeout=WAIT) as other:
        log_in(other, site.tokens["annotator"])
        of_another = csrf_of(other)

    for headers in ({}, {"X-CSRF-Token": ""}, {"X-CSRF-Token": "0" * 64}, {"X-CSRF-Token": of_another}):
        refused = roles.post("/needs/annotator", headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (403, "csrf")
    assert roles.post("/needs/annotator", headers={"X-CSRF-Token": csrf_of(roles)}).json() == "annotator"
    assert roles.post("/needs/annotator", data={"csrf": csrf_of(roles)}).json() == "annotator"


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer cv_forged", "Basic YTpi", "bearer \xff", "Bearer ' OR 1=1 --"],
)
def test_what_is_no_token_lets_nobody_in(client: httpx.Client, authorization: str) -> None:
    answer = client.get("/datasets", headers={b"Authorization": authorization.encode("latin-1")})

    assert answer.status_code == 401
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "unauthorized"
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_expired_and_revoked_tokens_are_refused_as_wrong_ones_are(site: Site, client: httpx.Client) -> None:
    database = site.catalog.database
    expired = create_token(database, "expired", Role.ADMIN, "test", days=1e-9)
    revoked = create_token(database, "revoked", Role.ADMIN, "test")
    revoke_token(database, "revoked")

    answers = [
        client.get("/datasets", headers={"Authorization": f"Bearer {one}"}) for one in (expired, revoked, "x")
    ]

    assert {(one.status_code, one.text) for one in answers} == {(401, answers[0].text)}


def test_a_person_logs_in_goes_where_they_wanted_and_logs_out(site: Site, client: httpx.Client) -> None:
    asked = client.get("/datasets/shapes?size=large", headers=PAGE)
    assert (asked.status_code, asked.headers["Location"]) == (
        303,
        "/login?next=%2Fdatasets%2Fshapes%3Fsize%3Dlarge",
    )

    entered = log_in(client, f" {site.tokens['viewer']}\n", next="/datasets/shapes?size=large")
    assert (entered.status_code, entered.headers["Location"]) == (303, "/datasets/shapes?size=large")
    cookie = entered.headers["Set-Cookie"].lower()
    assert all(word in cookie for word in ("httponly", "samesite=lax", "path=/", "max-age=43200"))
    assert "secure" not in cookie
    assert client.get("/datasets", headers=PAGE).status_code == 200

    kept = {"Cookie": f"cv_session={client.cookies['cv_session']}"}
    assert client.post("/logout", data={}, headers=PAGE).status_code == 403
    assert client.post("/logout", data={"csrf": csrf_of(client)}, headers=PAGE).headers["Location"] == "/login"
    assert client.get("/datasets", headers=kept).status_code == 401


@pytest.mark.parametrize(
    "to", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/\t/evil.example"]
)
def test_logging_in_leads_to_no_other_site(site: Site, client: httpx.Client, to: str) -> None:
    assert log_in(client, site.tokens["viewer"], next=to).headers["Location"] == "/datasets"


def test_a_session_is_known_to_every_process_and_ends_with_its_token(site: Site, url: str) -> None:
    token = create_token(site.catalog.database, "shared", Role.VIEWER, "test")
    with (
        site.serve() as second,
        httpx.Client(base_url=url, timeout=WAIT) as client,
        httpx.Client(base_url=second, timeout=WAIT) as other,
    ):
        log_in(client, token)
        session = {"Cookie": f"cv_session={client.cookies['cv_session']}"}

        assert other.get("/datasets", headers=session).status_code == 200
        assert revoke_token(site.catalog.database, "shared") == 1
        assert [one.get("/datasets", headers=session).status_code for one in (client, other)] == [401, 401]


def test_one_address_may_fail_ten_times_whatever_process_it_asks(site: Site, url: str) -> None:
    with site.serve("--processes", "2", CV_WEB_PROXIES="127.0.0.1") as second:
        headers = {"X-Forwarded-For": "203.0.113.9", **PAGE}
        statuses = [
            httpx.post(
                timeout=WAIT, url=f"{second}/login", data={"token": "cv_wrong"}, headers=headers
            ).status_code
            for _ in range(11)
        ]
        right = {"token": site.tokens["viewer"]}
        blocked = httpx.post(timeout=WAIT, url=f"{second}/login", data=right, headers=headers)
        spoofed = httpx.post(timeout=WAIT, url=f"{url}/login", data=right, headers=headers)

    assert statuses == [401] * 10 + [429]
    assert (blocked.status_code, blocked.headers["Retry-After"]) == (429, "300")
    assert spoofed.status_code == 303, "an address is believed only from a proxy"


def test_behind_a_proxy_with_https_the_cookie_is_for_https_and_this_host_alone(site: Site) -> None:
    with site.serve(CV_WEB_PROXIES="127.0.0.1", CV_WEB_HOSTS="labels.example") as behind:
        headers = {"Host": "labels.example", "X-Forwarded-Proto": "https", "Origin": "https://labels.example"}
        entered = httpx.post(
            timeout=WAIT, url=f"{behind}/login", data={"token": site.tokens["viewer"]}, headers=headers
        )

    assert entered.headers["Set-Cookie"].startswith("__Host-cv_session=")
    assert "; Secure" in entered.headers["Set-Cookie"]
