import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from dagster import DagsterInstance, DagsterRun
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from sqlalchemy import make_url

from cv_pipelines.database.engine import ALIVE
from cv_pipelines.errors import InfrastructureError, InputError
from cv_pipelines.orchestration.instance import open_instance
from cv_pipelines.orchestration.instance_storage import dagster_url
from cv_pipelines.settings import ROOT, load_settings
from tests.installation import PATIENCE, Installation, free_port
from tests.servers import Postgres

OPENS_WHEN_TOLD = """
import sys
from dagster import DagsterInstance
print("ready", flush=True)
sys.stdin.readline()
with DagsterInstance.get() as instance:
    print(instance.get_runs_count(), instance.all_instigator_state())
"""
IMPORTED = """
import sys
from dagster import DagsterInstance
with DagsterInstance.get() as instance:
    instance.get_runs()
print([name for name in ("psycopg", "psycopg2", "dagster_postgres", "boto3") if name in sys.modules])
"""


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Sets what `load_settings` reads, for this process."""
    monkeypatch.setenv("CV_STATE", str(tmp_path))
    monkeypatch.setenv("DAGSTER_HOME", str(ROOT))
    load_settings.cache_clear()
    yield monkeypatch
    load_settings.cache_clear()


def test_on_sqlite_the_records_stay_where_they_always_were(settings: pytest.MonkeyPatch, tmp_path: Path) -> None:
    storage = DagsterSqliteStorage.from_local(str(tmp_path))
    storage.run_storage.add_run(DagsterRun(job_name="loop", run_id="an-earlier-run"))
    storage.dispose()

    with open_instance() as instance:
        assert [run.run_id for run in instance.get_runs()] == ["an-earlier-run"]


def test_on_sqlite_migrations_are_read_once(settings: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with open_instance() as instance:
        instance.run_storage.add_run(DagsterRun(job_name="loop", run_id="a-run"))
        instance.report_engine_event("something", run_id="a-run", job_name="loop")

    settings.setattr(ScriptDirectory, "from_config", lambda _: pytest.fail("migrations are read again"))
    with open_instance() as instance:
        assert [run.run_id for run in instance.get_runs()] == ["a-run"]
        assert [str(entry.message) for entry in instance.all_logs("a-run")] == ["something"]
        assert instance.all_asset_keys() == []
        assert instance.all_instigator_state() == []


@pytest.mark.parametrize("file", ["history/runs.db", "history/runs/index.db", "schedules/schedules.db"])
@pytest.mark.parametrize("damage", ["DROP TABLE alembic_version", "DELETE FROM alembic_version", ""])
def test_on_sqlite_what_a_killed_process_has_not_made_is_made(
    settings: pytest.MonkeyPatch, tmp_path: Path, file: str, damage: str
) -> None:
    with open_instance() as instance:
        assert instance.all_asset_keys() == []
    if damage:
        with closing(sqlite3.connect(tmp_path / file)) as connection, connection:
            connection.execute(damage)
    else:
        (tmp_path / file).unlink()

    with open_instance() as instance:
        instance.run_storage.add_run(DagsterRun(job_name="loop", run_id="a-run"))
        assert instance.all_asset_keys() == []
        assert instance.all_instigator_state() == []
        with closing(sqlite3.connect(tmp_path / file)) as connection:
            assert len(connection.execute("SELECT * FROM alembic_version").fetchall()) == 1


def test_on_sqlite_and_a_folder_nothing_of_postgres_or_s3_is_imported(installation: Installation) -> None:
    assert installation.python(IMPORTED).strip() == "[]"


def test_on_postgres_the_records_are_in_a_schema_of_their_own(
    settings: pytest.MonkeyPatch, postgres: Postgres, tmp_path: Path
) -> None:
    url = postgres.new_database()
    settings.setenv("CV_DATABASE_URL", url)

    with open_instance() as instance:
        instance.run_storage.add_run(DagsterRun(job_name="loop", run_id="a-run"))
        reference = instance.get_ref()
    with DagsterInstance.from_ref(reference) as instance:  # as a run's own process does
        (record,) = instance.get_run_records()
        assert record.dagster_run.run_id == "a-run"
        assert abs(record.create_timestamp - datetime.now(UTC)) < timedelta(minutes=5)  # the server is in Tokyo

    tables = "SELECT DISTINCT schemaname FROM pg_tables WHERE tablename IN ('runs', 'event_logs', 'job_ticks')"
    assert postgres.execute(tables, make_url(url).database or "") == [("dagster",)]
    assert not (tmp_path / "history").exists()


@pytest.mark.parametrize("server", ["Postgres", "SQLite"])
def test_several_processes_may_open_an_empty_database_at_once(
    installation: Installation, request: pytest.FixtureRequest, server: str
) -> None:
    environment = dict(installation.environment)
    if server == "Postgres":
        environment["CV_DATABASE_URL"] = request.getfixturevalue("postgres").new_database()
    command = [sys.executable, "-W", "ignore", "-c", OPENS_WHEN_TOLD]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    processes = [
        subprocess.Popen(command, text=True, env=environment, **pipes)  # type: ignore[call-overload]
        for _ in range(3)
    ]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()

    outcomes = [process.communicate(timeout=PATIENCE) for process in processes]

    assert [out.strip() for out, _ in outcomes] == ["0 []"] * 3, [error for _, error in outcomes]
    assert [error for _, error in outcomes] == [""] * 3


def test_a_user_without_the_right_to_make_schemas_may_use_one_that_is_there(
    settings: pytest.MonkeyPatch, postgres: Postgres
) -> None:
    url = postgres.new_database()
    name = make_url(url).database or ""
    postgres.execute("DROP ROLE IF EXISTS modest")
    postgres.execute("CREATE ROLE modest LOGIN")
    postgres.execute("CREATE SCHEMA dagster AUTHORIZATION modest", name)
    settings.setenv("CV_DATABASE_URL", url.replace("cv@", "modest@"))

    with open_instance() as instance:
        assert instance.get_runs() == []
    postgres.execute("DROP OWNED BY modest", name)


def test_a_server_that_is_down_or_refuses_is_said_in_one_line(
    settings: pytest.MonkeyPatch, postgres: Postgres
) -> None:
    settings.setenv("CV_DATABASE_URL", f"postgresql://cv@127.0.0.1:{free_port()}/cv")
    with pytest.raises(InfrastructureError, match=r"Connection refused\. Check CV_DATABASE_URL"):
        open_instance()
    load_settings.cache_clear()
    settings.setenv("CV_DATABASE_URL", postgres.url("postgres", "locked:wrong"))
    with pytest.raises(InputError, match="password authentication failed"):
        open_instance()


@pytest.mark.parametrize("scheme", ["postgresql", "postgresql+psycopg", "postgresql+psycopg2"])
def test_dagster_gets_its_driver_and_its_schema_and_keeps_the_options(scheme: str) -> None:
    url = make_url(
        dagster_url(make_url(f"{scheme}://me:p%40ss@host:5433/name?sslmode=require&options=-cjit%3Doff"))
    )

    assert url.drivername == "postgresql+psycopg2"
    assert (url.username, url.password, url.host, url.port, url.database) == ("me", "p@ss", "host", 5433, "name")
    assert url.query == {
        "sslmode": "require",
        "options": "-cjit=off -csearch_path=dagster -ctimezone=UTC",
        "connect_timeout": "10",
        **ALIVE,
    }
