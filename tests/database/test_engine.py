import os
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select, text

from cv_pipelines.database.engine import SCHEMA, connect, open_database, schema_revision
from cv_pipelines.database.tables import artefacts, datasets
from cv_pipelines.errors import CvError, InputError

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


def set_revision(path: Path, revision: str) -> None:
    engine = connect(url_of(path))
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})
    engine.dispose()
    open_database.cache_clear()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "folder" / "that" / "is" / "new" / "cv.sqlite"
    open_database(url_of(path)).dispose()
    return path


def test_a_new_database_is_set_up_at_once(path: Path) -> None:
    engine = open_database(url_of(path))

    assert schema_revision(engine) == SCHEMA
    with engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(datasets)).scalar() == 0


def test_a_database_is_opened_once_per_process(path: Path) -> None:
    assert open_database(url_of(path)) is open_database(url_of(path))


def test_opening_an_existing_database_leaves_what_is_in_it(path: Path) -> None:
    with open_database(url_of(path)).begin() as connection:
        connection.execute(datasets.insert().values(name="digits", source="/data", classes=[]))
    open_database.cache_clear()

    with open_database(url_of(path)).connect() as connection:
        assert connection.execute(select(datasets.c.name)).scalars().all() == ["digits"]


def test_a_newer_schema_is_refused_in_one_line(path: Path) -> None:
    set_revision(path, "9999")

    with pytest.raises(InputError, match="9999, newer than this program's") as caught:
        open_database(url_of(path))

    assert caught.value.code == "new_schema"
    assert "\n" not in caught.value.user_message


def test_an_older_schema_is_refused_with_the_command(path: Path) -> None:
    set_revision(path, "0000")

    with pytest.raises(InputError, match="run 'cv-pipelines db upgrade'") as caught:
        open_database(url_of(path))

    assert caught.value.code == "old_schema"
    assert "\n" not in caught.value.user_message


def test_two_processes_may_create_the_same_database_at_once(tmp_path: Path) -> None:
    command = [sys.executable, "-c", OPENS_WHEN_TOLD, url_of(tmp_path / "cv.sqlite")]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    processes = [subprocess.Popen(command, text=True, **pipes) for _ in range(2)]  # type: ignore[call-overload]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()

    outcomes = [process.communicate(timeout=60) for process in processes]

    assert [out.strip() for out, _ in outcomes] == [SCHEMA, SCHEMA], [error for _, error in outcomes]


def test_a_database_that_another_process_is_just_creating_is_waited_for(tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "cv.sqlite", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(open_database, url_of(tmp_path / "cv.sqlite"))
        wait([waiting], timeout=0.5)  # it comes while the lock is held, and must still be there after
        other.execute("ROLLBACK")
        engine = waiting.result(timeout=60)
    other.close()

    assert schema_revision(engine) == SCHEMA


def test_concurrent_changes_are_not_lost(path: Path) -> None:
    engine = open_database(url_of(path))
    with engine.begin() as connection:
        connection.execute(datasets.insert().values(name="counter", source="0", classes=[]))

    def count(_: int) -> None:
        with engine.begin() as connection:
            seen = int(connection.execute(select(datasets.c.source)).scalar_one())
            connection.execute(datasets.update().values(source=str(seen + 1)))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(count, range(40)))

    with engine.connect() as connection:
        assert connection.execute(select(datasets.c.source)).scalar() == "40"


def test_a_transaction_that_fails_leaves_nothing(path: Path) -> None:
    engine = open_database(url_of(path))
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


def test_sqlite_is_set_up_for_several_processes_that_write(path: Path) -> None:
    engine = open_database(url_of(path))

    assert pragma(engine, "journal_mode") == "wal"
    assert pragma(engine, "foreign_keys") == 1
    assert pragma(engine, "synchronous") == 2
    assert pragma(engine, "busy_timeout") == 10000


@pytest.mark.parametrize(
    "url",
    [
        "no url at all",
        "nosuchdatabase://host/name",
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
