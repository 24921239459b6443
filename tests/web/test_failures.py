"""What is told when something breaks: enough for who runs the server, nothing of its inside to others."""

import json
import socket
from contextlib import ExitStack
from pathlib import Path

import httpx

from cv_pipelines.database.engine import open_database
from cv_pipelines.storage.packs import place_of
from cv_pipelines.web.tokens import Role, create_token
from tests.installation import Installation
from tests.servers import run_postgres
from tests.web_site import Site

PAGE = {"Accept": "text/html"}
WAIT = 60.0
"""Seconds: processes may still be starting, on a busy machine."""


def test_a_mistake_of_ours_has_a_number_that_is_in_the_log(site: Site) -> None:
    manifest = site.catalog.open(site.catalog.require("image_manifest", "odd"))
    path = site.installation.state / "store" / manifest.parts["images"]
    kept = path.read_bytes()
    path.chmod(0o644)
    path.write_bytes(b"no table at all")
    try:
        with site.serve() as url:
            told = httpx.get(timeout=WAIT, url=f"{url}/datasets/odd", headers=site.bearer("viewer"))
            shown = httpx.get(timeout=WAIT, url=f"{url}/datasets/odd", headers={**site.bearer("viewer"), **PAGE})
            assert (
                httpx.get(timeout=WAIT, url=f"{url}/datasets/shapes", headers=site.bearer("viewer")).status_code
                == 200
            )
    finally:
        path.write_bytes(kept)

    assert (told.status_code, told.json()["code"], shown.status_code) == (500, "internal", 500)
    number = told.json()["detail"].split("log as ")[1].split(".")[0]
    lines = [json.loads(line) for line in site.log.read_text().splitlines()]
    logged = next(line for line in lines if line.get("id") == number)
    assert logged["exception"][0]["exc_type"] == "ArrowInvalid"
    assert "Parquet" not in told.text + shown.text
    assert str(site.installation.state) not in told.text + shown.text


def test_bytes_that_are_gone_are_no_mistake_of_who_asks(site: Site) -> None:
    manifest = site.catalog.open(site.catalog.require("image_manifest", "odd"))
    image = manifest.table("images", ["image_id", "uri"]).to_pylist()[0]
    pack = site.installation.state / "store" / place_of(image["uri"]).key
    aside = pack.rename(pack.with_name("aside"))
    try:
        with site.serve() as url:
            address = f"{url}/datasets/odd/images/{image['image_id']}/thumbnail?size=224"
            answer = httpx.get(timeout=WAIT, url=address, headers=site.bearer("viewer"))
    finally:
        aside.rename(pack)

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")


def test_while_the_database_is_away_everything_is_unavailable_and_says_nothing_of_it(tmp_path: Path) -> None:
    with ExitStack() as running:
        away = ExitStack()
        running.enter_context(away)
        database = away.enter_context(run_postgres()).new_database()
        engine = open_database(database)
        token = create_token(engine, "ann", Role.ADMIN, "test")
        engine.dispose()
        site = Site(Installation(tmp_path, {"CV_DATABASE_URL": database}), None, {"admin": token})  # type: ignore[arg-type]
        url = running.enter_context(site.serve())
        assert httpx.get(timeout=WAIT, url=f"{url}/healthy").text == "ok"
        away.close()
        answers = [
            httpx.get(timeout=WAIT, url=f"{url}/healthy"),
            httpx.get(timeout=WAIT, url=f"{url}/datasets", headers=site.bearer("admin")),
            httpx.post(timeout=WAIT, url=f"{url}/login", data={"token": token}, headers=PAGE),
        ]

    assert [answer.status_code for answer in answers] == [503] * 3
    assert all("postgres" not in answer.text for answer in answers)
    assert answers[0].json()["code"] == "database"


def test_a_port_that_is_taken_is_told_in_one_line(installation: Installation) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        done = installation.run("web", "--port", port, status=1)

    assert f"Port {port} of 127.0.0.1 is taken" in done.stderr
    assert "cannot be listened on" in installation.run("web", "--host", "203.0.113.1", status=1).stderr


def test_tokens_are_made_listed_and_revoked_by_command(installation: Installation) -> None:
    made = installation.run("token", "create", "ann", "--role", "annotator", "--days", "30")
    token = made.stdout.strip()
    assert token.startswith("cv_")
    assert "There is a token" in installation.run("token", "create", "ann", "--role", "admin", status=1).stderr

    listed = installation.json("token", "list")
    assert [(one["name"], one["role"], one["state"]) for one in listed] == [("ann", "annotator", "valid")]
    assert token not in json.dumps(listed)
    installation.run("token", "revoke", "ann")
    assert [one["state"] for one in installation.json("token", "list")] == ["revoked"]
    assert "no valid token" in installation.run("token", "revoke", "ann", status=1).stderr
