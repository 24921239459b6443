"""The loop where settings alone have put everything on Postgres and S3; the daemon runs it."""

import json
import subprocess
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.installation import Installation
from tests.servers import S3, Postgres


@dataclass(frozen=True)
class Production:
    """An installation whose loop has run; its UI is still there."""

    installation: Installation
    ui: str
    result: dict[str, Any]
    postgres: Postgres
    s3: S3

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        database = self.installation.extra["CV_DATABASE_URL"].rpartition("/")[2]
        return self.postgres.execute(query, database)

    def objects(self, prefix: str) -> dict[str, bytes]:
        """The objects of the store below a prefix, with their contents."""
        bucket, _, folder = self.installation.extra["CV_STORE_URL"].removeprefix("s3://").partition("/")
        listed = self.s3.client.list_objects_v2(Bucket=bucket, Prefix=f"{folder}/{prefix}")
        keys = [entry["Key"] for entry in listed.get("Contents", ())]
        read = {key: self.s3.client.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}
        return {key.removeprefix(f"{folder}/"): data for key, data in read.items()}

    def graphql(self, query: str, **variables: object) -> Any:
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(f"{self.ui}/graphql", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as response:
            return json.load(response)["data"]


@pytest.fixture(scope="module")
def production(
    tmp_path_factory: pytest.TempPathFactory, shapes: Path, postgres: Postgres, s3_server: S3
) -> Iterator[Production]:
    settings = {"CV_DATABASE_URL": postgres.new_database(), "CV_STORE_URL": f"{s3_server.new_bucket()}/cv"}
    installation = Installation(tmp_path_factory.mktemp("production"), {**settings, **s3_server.environment})
    with installation.dev() as ui:
        installation.run("dataset", "add", "shapes", str(shapes))
        result = installation.json("run", "shapes", "--set", "epochs=6", "--set", "batch_size=16")
        yield Production(installation, ui, result, postgres, s3_server)


def test_the_daemon_has_run_the_loop(production: Production) -> None:
    assert production.result["succeeded"]
    assert production.result["executed"] == "daemon"


def test_the_images_have_the_version_that_they_have_on_one_machine(
    production: Production, finished: Installation
) -> None:
    shown = production.installation.json("dataset", "show", "shapes")

    assert shown["version"] == finished.json("dataset", "show", "shapes")["version"]
    assert shown["images"] == 90


def test_nothing_that_lasts_is_on_the_machine(production: Production) -> None:
    state = production.installation.state

    assert [path for path in state.rglob("*") if path.suffix in (".sqlite", ".db")] == []
    assert not (state / "store").exists()
    assert production.objects("bundles/image_manifest/")


def test_the_records_of_dagster_are_beside_those_of_the_platform(production: Production) -> None:
    runs = production.rows("SELECT run_id, status FROM dagster.runs")
    published = production.rows("SELECT DISTINCT asset FROM public.publications WHERE dataset = 'shapes'")

    assert (production.result["run_id"], "SUCCESS") in runs
    assert ("image_manifest",) in published
    assert production.rows("SELECT version_num FROM public.alembic_version") != production.rows(
        "SELECT version_num FROM dagster.alembic_version"
    )


def test_the_sensors_of_the_daemon_tick_without_a_fault(production: Production) -> None:
    ticks: dict[str, int] = dict(production.rows("SELECT status, count(*) FROM dagster.job_ticks GROUP BY status"))
    faults = "{ instance { daemonHealth { allDaemonStatuses { daemonType lastHeartbeatErrors { message } } } } }"
    daemons = production.graphql(faults)["instance"]["daemonHealth"]["allDaemonStatuses"]

    assert ticks.get("SKIPPED")
    assert "FAILURE" not in ticks
    assert [daemon for daemon in daemons if daemon["lastHeartbeatErrors"]] == []


def test_what_the_steps_printed_is_in_the_store_and_in_the_ui(production: Production) -> None:
    folder = f"compute-logs/{production.result['run_id']}/compute_logs/"
    logs = production.objects(folder)
    key, printed = max(logs.items(), key=lambda item: len(item[1]))
    name = key.removeprefix("compute-logs/").removesuffix(".err").split("/")
    query = "query ($key: [String!]!) { capturedLogs(logKey: $key) { stderr } }"

    assert b"trained_model" in printed
    assert {Path(key).suffix for key in logs} == {".out", ".err"}
    assert production.graphql(query, key=name)["capturedLogs"]["stderr"].encode() == printed


def test_a_restored_installation_goes_on_where_it_was(production: Production, tmp_path: Path) -> None:
    working, dump = production.installation, str(tmp_path / "database.dump")
    programs, plain = production.postgres.programs, "postgresql+psycopg:"
    settings = {
        "CV_DATABASE_URL": production.postgres.new_database(),
        "CV_STORE_URL": f"{production.s3.new_bucket()}/elsewhere",
    }
    restored = Installation(tmp_path / "state", {**working.extra, **settings})
    source, target = (one.extra["CV_DATABASE_URL"].replace(plain, "postgresql:") for one in (working, restored))

    subprocess.run([programs / "pg_dump", "--format=custom", f"--file={dump}", source], check=True)
    working.run("store", "backup", str(tmp_path / "store"))
    restored.run("store", "restore", str(tmp_path / "store"))
    subprocess.run([programs / "pg_restore", "--exit-on-error", f"--dbname={target}", dump], check=True)
    # as if a minute had passed: the daemon that was alive when the dump was taken is none of this installation's
    production.postgres.execute("DELETE FROM dagster.daemon_heartbeats", target.rpartition("/")[2])

    assert restored.json("store", "check", "--content")["faults"] == []
    assert restored.json("report", "shapes") == working.json("report", "shapes")
    again = restored.json("run", "shapes", "--set", "epochs=6", "--set", "batch_size=16")
    assert (again["succeeded"], again["executed"]) == (True, "here")
    assert {step["message"] for step in again["steps"] if step["step"] in ("image_manifest", "trained_model")} == {
        "unchanged, nothing to do"
    }
