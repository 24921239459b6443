"""Dagster's records in SQLite, opened quickly.

Whenever Dagster opens them it reads all its migrations, which takes a tenth of a second of a core, and it makes an
engine for each query. Every process does so, and the code server in every tick of every sensor: with nothing to do
the platform needed a quarter of a core. Here migrations are read where tables are missing, and engines are kept.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from fcntl import LOCK_EX, flock
from functools import lru_cache
from pathlib import Path
from typing import Self

from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.runs import SqliteRunStorage
from dagster._core.storage.schedules import SqliteScheduleStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS, create_db_conn_string
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from dagster._serdes import ConfigurableClassData
from sqlalchemy import Connection, Engine, NullPool, create_engine, make_url


class SqliteStorage(DagsterSqliteStorage):
    """The same files, in the folder of the state, as DagsterSqliteStorage has."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        folder = Path(base_dir)
        self.base_dir, self._inst_data = base_dir, inst_data
        with _one_at_a_time(folder):  # of several that make the same tables, one would fail
            self._run_storage = _Runs.from_local(str(folder / "history"))
            self._event_log_storage = _Events(str(folder / "history" / "runs"))
            self._schedule_storage = _Schedules.from_local(str(folder / "schedules"))
        super(DagsterSqliteStorage, self).__init__()  # type: ignore[no-untyped-call]


class _Runs(SqliteRunStorage):
    @classmethod
    def from_local(cls, base_dir: str, inst_data: ConfigurableClassData | None = None) -> Self:
        url = create_db_conn_string(base_dir, "runs")
        has_all = is_made(url, "runs", "instance_info")
        return cls(url, inst_data) if has_all else super().from_local(base_dir, inst_data)

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        with engine_of(self._conn_string).begin() as connection:
            yield connection


class _Schedules(SqliteScheduleStorage):
    @classmethod
    def from_local(cls, base_dir: str, inst_data: ConfigurableClassData | None = None) -> SqliteScheduleStorage:
        url = create_db_conn_string(base_dir, "schedules")
        return cls(url, inst_data) if is_made(url, "jobs") else super().from_local(base_dir, inst_data)

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        with engine_of(self._conn_string).begin() as connection:
            yield connection


class _Events(SqliteEventLogStorage):
    """A file for each run, and one for all."""

    def _initdb(self, engine: Engine, for_index_shard: bool = False) -> None:
        if not is_made(str(engine.url), "event_logs"):
            super()._initdb(engine, for_index_shard)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock:
            engine = engine_of(self.conn_string_for_shard(shard))
            if shard not in self._initialized_dbs:
                self._initdb(engine)
                self._initialized_dbs.add(shard)
            with engine.begin() as connection:
                yield connection


@contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    lock = os.open(folder, os.O_RDONLY)
    try:
        flock(lock, LOCK_EX)
        yield
    finally:
        os.close(lock)


@lru_cache(maxsize=32)
def engine_of(url: str) -> Engine:
    """An engine that holds no connection, but the statements that it has compiled; threads may share it."""
    return create_engine(url, poolclass=NullPool, connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS})


def is_made(url: str, *tables: str) -> bool:
    """Whether Dagster has made all tables of a file: what its newest migration is it writes after that."""
    names = "SELECT name FROM sqlite_master WHERE type = 'table'"
    file = Path(make_url(url).database or "").absolute().as_uri()
    try:
        with closing(sqlite3.connect(f"{file}?mode=ro", uri=True)) as connection:
            there = {name for (name,) in connection.execute(names)}
            migrated = connection.execute("SELECT count(*) FROM alembic_version").fetchone()[0]
    except sqlite3.DatabaseError:  # nothing there yet, or being made; of a damaged file Dagster tells
        return False
    return there.issuperset(tables) and migrated > 0
