"""Connections to the application database: SQLite by default, Postgres in production."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic_core import to_json
from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, DatabaseError, NoSuchModuleError, OperationalError
from tenacity import retry, retry_if_exception_message, stop_after_delay, wait_random

from cv_pipelines.errors import CvError, InfrastructureError, InputError

_BUSY_SECONDS = 10
_CONNECT_SECONDS = 10
_IDLE_SECONDS = 60
"""A process that hangs in the middle of a transaction is cut off after this: others wait for its locks."""
ALIVE = {
    "keepalives_idle": "15",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "30000",
}
"""For libpq: a server whose network is gone is noticed within half a minute, not after hours."""
_READS, _AT_ONCE = "cv_reads", "cv_at_once"
"""Execution options of connections to SQLite."""
_REFUSED = re.compile("authentication failed|no password|no pg_hba.conf entry|does not exist|permission denied")
SCHEMA = "0010"
"""The newest revision that this code knows."""


@lru_cache(maxsize=8)
def open_database(url: str) -> Engine:
    """Connect, and make sure that code and schema fit; once per process and URL.

    A database without tables is set up at once; an older one waits for `cv-pipelines db upgrade`.

    Raises:
        InputError: the URL or the password is wrong, or the schema is older or newer than this code.
        InfrastructureError: the server does not answer.
    """
    engine = connect(url)
    found = schema_revision(engine)
    if found is None:
        from cv_pipelines.database.upgrade import upgrade

        upgrade(engine)
    elif found < SCHEMA:
        message = f"The database has schema {found}, this program needs {SCHEMA}: run 'cv-pipelines db upgrade'."
        raise InputError("old_schema", message)
    elif found > SCHEMA:
        message = f"The database has schema {found}, newer than this program's {SCHEMA}: update the program."
        raise InputError("new_schema", message)
    return engine


def connect(url: str) -> Engine:
    """Make the engine: SQLite set up for several processes that write, Postgres with psycopg 3.

    Raises:
        InputError: the URL is wrong, or names a database that we do not know.
    """
    try:
        parsed = make_url(url)
        match parsed.get_backend_name():
            case "sqlite":
                Path(parsed.database or "").parent.mkdir(parents=True, exist_ok=True)
                return _sqlite(url)
            case "postgresql":
                return _postgres(parsed)
            case other:
                raise ArgumentError(f"'{other}' is neither sqlite:///file nor postgresql://user@host/name")
    except OSError as error:
        message = f"The database {url} cannot be made: {error.strerror}. Check CV_DATABASE_URL."
        raise InputError("database_url", message) from error
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError, ValueError) as error:
        raise InputError("database_url", f"CV_DATABASE_URL is not a database URL we know: {error}") from error


def schema_revision(engine: Engine) -> str | None:
    """The revision that the database says it has, None where nothing was ever set up."""
    with reach(engine) as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


@contextmanager
def transaction(database: Engine, pretend: bool) -> Iterator[Connection]:
    """A transaction; one that only pretends is rolled back, and its answers are as if it were not."""
    with database.connect() as connection, connection.begin() as begun:
        yield connection
        if pretend:
            begun.rollback()


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A transaction that only reads: on SQLite it waits for nobody who writes, and sees what was committed last.

    There it cannot write either: every transaction that does is BEGIN IMMEDIATE.
    """
    with engine.connect() as connection:
        yield connection.execution_options(**{_READS: True})


@contextmanager
def if_free(engine: Engine) -> Iterator[Connection | None]:
    """A transaction for what can be noted another time, too: None where SQLite would have to wait for a writer."""
    with engine.connect() as connection:
        try:
            begun = connection.execution_options(**{_AT_ONCE: True}).begin()
        except OperationalError as error:
            if "locked" not in str(error.orig):
                raise
            begun = None
        if begun is None:
            yield None
            return
        with begun:
            yield connection


@contextmanager
def reach(engine: Engine) -> Iterator[Connection]:
    """Connect to look at a database, for the first time perhaps.

    Raises:
        InputError: the server knows no such user, password or database.
        InfrastructureError: it does not answer.
    """
    try:
        with engine.connect() as connection:
            yield connection
    except DatabaseError as error:
        raise _unusable(engine, error) from error


def _unusable(engine: Engine, error: DatabaseError) -> CvError:
    """Say why there is no connection; asking again helps neither a wrong password nor a missing database."""
    where = engine.url.render_as_string(hide_password=True)
    reason = str(error.orig).splitlines()[0].rpartition("failed: ")[2].removeprefix("FATAL:").strip()
    if _REFUSED.search(reason):
        message = (
            f"The database {where} lets nobody in: {reason}. Check user, password and name in CV_DATABASE_URL."
        )
        return InputError("database_access", message)
    message = f"The database {where} does not answer: {reason}. Check CV_DATABASE_URL and that the server runs."
    return InfrastructureError("database", message, str(error))


def _to_json(value: object) -> str:
    """JSON, five times as fast as the standard library's."""
    return to_json(value).decode()


_COMMON: dict[str, Any] = {
    "hide_parameters": True,  # errors are shown to people, and what callers send is not theirs to read
    "json_serializer": _to_json,
}


def _postgres(url: URL) -> Engine:
    """A server that says nothing is given up after some seconds, and a connection that it closed is replaced.

    Parameters are numbered, as the server has them: psycopg needs longer to find names in a statement of 500
    rows than the server needs to insert them.
    """
    from psycopg import RawCursor  # only where there is a Postgres

    limits = {
        "connect_timeout": str(_CONNECT_SECONDS),
        **ALIVE,
        "options": f"-cidle_in_transaction_session_timeout={_IDLE_SECONDS}s",
    }
    own: dict[str, Any] = {name: value for name, value in limits.items() if name not in url.query}
    own["cursor_factory"] = RawCursor
    return create_engine(url, pool_pre_ping=True, paramstyle="numeric_dollar", connect_args=own, **_COMMON)


def _sqlite(url: str) -> Engine:
    """WAL, durable commits, and BEGIN IMMEDIATE: a deferred transaction that writes loses updates under load."""
    engine = create_engine(url, isolation_level=None, **_COMMON)

    @event.listens_for(engine, "connect")
    def _set_up(connection: Any, _: object) -> None:
        connection.isolation_level = None
        connection.execute(f"PRAGMA busy_timeout={_BUSY_SECONDS * 1000}")
        _switch_to_wal(connection)
        for pragma in ("synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        options, run = connection.get_execution_options(), connection.exec_driver_sql
        reads = bool(options.get(_READS))
        run(f"PRAGMA query_only={reads:d}")
        run(f"PRAGMA busy_timeout={0 if options.get(_AT_ONCE) else _BUSY_SECONDS * 1000}")
        run("BEGIN" if reads else "BEGIN IMMEDIATE")

    return engine


@retry(
    retry=retry_if_exception_message(match=".*locked.*"),
    stop=stop_after_delay(_BUSY_SECONDS),
    wait=wait_random(0.01, 0.1),
    reraise=True,
)
def _switch_to_wal(connection: Any) -> None:
    """SQLite does not wait for another writer here, whatever the busy timeout says; so we do."""
    connection.execute("PRAGMA journal_mode=WAL")
