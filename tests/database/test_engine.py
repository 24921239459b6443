import os
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select, text
from sqlalchemy.exc import OperationalError

from cv_pipelines.database.engine import SCHEMA, if_free, open_database, reading, schema_revision
from cv_pipelines.database.locks import take_turns
from cv_pipelines.database.tables import artefacts, datasets
from cv_pipelines.errors import CvError, InfrastructureError, InputError
from tests.installation import PATIENCE, free_port
from tests.servers import Postgres, on_both_databases

OPENS_WHEN_TOLD = """
import sys
import cv_pipelines.database.upgrade
from cv_pipelines.database.engine import open_database, schema_revision
print("ready", flush=True)
sys.stdin.readline()
print(schema_revision(open_database(sys.argv[1])))
"""


def url_of(path: Path) -> str:
    return f"sqlite:///{path}"


def set_revision(url: str, revision: str) -> None:
    engine = open_database(url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})
    engine.dispose()
    open_database.cache_clear()


@on_both_databases
def test_a_new_database_is_set_up_at_once(database_url: str) -> None:
    engine = open_database(database_url)

    assert schema_revision(engine) == SCHEMA
    with engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(datasets)).scalar() == 0


def test_a_database_is_opened_once_per_process(database_url: str) -> None:
    assert open_database(database_url) is open_database(database_url)


@on_both_databases
def test_opening_an_existing_database_leaves_what_is_in_it(database_url: str) -> None:
    with open_database(database_url).begin() as connection:
        connection.execute(datasets.insert().values(name="digits", source="/data", classes=[]))
    open_database.cache_clear()

    with open_database(database_url).connect() as connection:
        assert connection.execute(select(datasets.c.name)).scalars().all() == ["digits"]


@on_both_databases
def test_a_newer_schema_is_refused_in_one_line(database_url: str) -> None:
    set_revision(database_url, "9999")

    with pytest.raises(InputError, match="9999, newer than this program's") as caught:
        open_database(database_url)

    assert caught.value.code == "new_schema"
    assert "\n" not in caught.value.user_message


def test_an_older_schema_is_refused_with_the_command(database_url: str) -> None:
    set_revision(database_url, "0000")

    with pytest.raises(InputError, match="run 'cv-pipelines db upgrade'") as caught:
        open_database(database_url)

    assert caught.value.code == "old_schema"
    assert "\n" not in caught.value.user_message


@on_both_databases
def test_two_processes_may_create_the_same_database_at_once(database_url: str) -> None:
    command = [sys.executable, "-c", OPENS_WHEN_TOLD, database_url]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    processes = [subprocess.Popen(command, text=True, **pipes) for _ in range(2)]  # type: ignore[call-overload]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()

    outcomes = [process.communicate(timeout=PATIENCE) for process in processes]

    assert [out.strip() for out, _ in outcomes] == [SCHEMA, SCHEMA], [error for _, error in outcomes]


def test_a_database_that_another_process_is_just_creating_is_waited_for(tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "cv.sqlite", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(open_database, url_of(tmp_path / "cv.sqlite"))
        wait([waiting], timeout=0.5)  # it comes while the lock is held, and must still be there after
        other.execute("ROLLBACK")
        engine = waiting.result(timeout=PATIENCE)
    other.close()

    assert schema_revision(engine) == SCHEMA


@on_both_databases
def test_changes_that_take_turns_are_not_lost(database_url: str) -> None:
    engine = open_database(database_url)
    with engine.begin() as connection:
        connection.execute(datasets.insert().values(name="counter", source="0", classes=[]))

    def count(_: int) -> None:
        with engine.begin() as connection:
            take_turns(connection, "counter")
            seen = int(connection.execute(select(datasets.c.source)).scalar_one())
            connection.execute(datasets.update().values(source=str(seen + 1)))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(count, range(40)))

    with engine.connect() as connection:
        assert connection.execute(select(datasets.c.source)).scalar() == "40"


def test_a_transaction_that_fails_leaves_nothing(database_url: str) -> None:
    engine = open_database(database_url)
    row = {"kind": "toy", "inputs": "a", "version": "v", "key": "k"}

    def fail_half_way() -> None:
        with engine.begin() as connection:
            connection.execute(artefacts.insert().values(row))
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        fail_half_way()

    with engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(artefacts)).scalar() == 0


def pragma(engine: Engine, name: str) -> object:
    with engine.connect() as connection:
        return connection.exec_driver_sql(f"PRAGMA {name}").scalar()


def test_sqlite_is_set_up_for_several_processes_that_write(database_url: str) -> None:
    engine = open_database(database_url)

    assert pragma(engine, "journal_mode") == "wal"
    assert pragma(engine, "foreign_keys") == 1
    assert pragma(engine, "synchronous") == 2
    assert pragma(engine, "busy_timeout") == 10000


@pytest.mark.parametrize(
    "url",
    [
        "no url at all",
        "nosuchdatabase://host/name",
        "mysql://user:geheim@host/name",
        "postgresql+nosuchdriver://host/name",
        "postgresql+psycopg://user:geheim@host:port/name",
    ],
)
def test_a_wrong_url_is_the_users_error_and_shows_no_password(url: str) -> None:
    with pytest.raises(InputError, match="CV_DATABASE_URL") as caught:
        open_database(url)

    assert caught.value.code == "database_url"
    assert "geheim" not in caught.value.user_message


def test_a_place_where_no_database_can_be_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("This is a text and no database. " * 100)

    for path in (tmp_path, tmp_path / "notes.txt", tmp_path / "notes.txt" / "cv.sqlite"):
        with pytest.raises(CvError) as caught:
            open_database(url_of(path))
        assert os.fspath(path) in caught.value.user_message
        assert "\n" not in caught.value.user_message


@pytest.mark.parametrize(
    ("user", "name", "why"),
    [
        ("locked:geheim", "postgres", "password authentication failed for user"),
        ("locked", "postgres", "no password supplied"),
        ("cv", "nothing", 'database "nothing" does not exist'),
        ("nobody", "postgres", 'role "nobody" does not exist'),
    ],
)
def test_what_postgres_refuses_is_said_in_one_line(postgres: Postgres, user: str, name: str, why: str) -> None:
    with pytest.raises(InputError, match=why) as caught:
        open_database(postgres.url(name, user))

    assert caught.value.code == "database_access"
    assert "Check user, password and name in CV_DATABASE_URL" in caught.value.user_message
    assert "\n" not in caught.value.user_message
    assert "geheim" not in caught.value.user_message


def test_a_server_that_is_down_is_worth_trying_again() -> None:
    with pytest.raises(InfrastructureError, match=r"does not answer: Connection refused\. Check CV_DATABASE_URL"):
        open_database(f"postgresql://cv@127.0.0.1:{free_port()}/cv")


def test_postgres_is_spoken_to_with_psycopg_however_its_url_begins(postgres: Postgres) -> None:
    url = postgres.new_database().replace("postgresql+psycopg:", "postgresql:")
    engine = open_database(url)

    assert engine.driver == "psycopg"
    engine.dispose()


def test_reading_waits_for_no_writer_and_cannot_write(tmp_path: Path) -> None:
    engine = open_database(url_of(tmp_path / "cv.sqlite"))
    row = {"name": "digits", "source": "/data", "classes": []}
    with engine.begin() as writer:
        writer.execute(datasets.insert().values(row))
        with reading(engine) as connection:
            assert connection.execute(select(func.count()).select_from(datasets)).scalar() == 0
            with pytest.raises(OperationalError, match="readonly"):
                connection.execute(datasets.insert().values(row))
    with engine.begin() as connection:
        assert connection.execute(datasets.update().values(source="/other")).rowcount == 1, (
            "others may write again"
        )


def test_what_can_wait_is_not_waited_for(tmp_path: Path) -> None:
    engine = open_database(url_of(tmp_path / "cv.sqlite"))
    with engine.begin(), if_free(engine) as connection:
        assert connection is None
    with if_free(engine) as connection:
        assert connection is not None
        connection.execute(datasets.insert().values(name="digits", source="/data", classes=[]))
    with reading(engine) as connection:
        assert connection.execute(select(datasets.c.name)).scalars().all() == ["digits"]


@on_both_databases
def test_reading_and_what_can_wait_on_both_databases(database_url: str) -> None:
    engine = open_database(database_url)
    with if_free(engine) as connection:
        assert connection is not None
        connection.execute(datasets.insert().values(name="digits", source="/data", classes=[]))
    with reading(engine) as connection:
        assert connection.execute(select(datasets.c.name)).scalars().all() == ["digits"]
