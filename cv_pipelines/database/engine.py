"""Connections to the application database: SQLite by default, Postgres in production."""

from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, DatabaseError, NoSuchModuleError
from tenacity import retry, retry_if_exception_message, stop_after_delay, wait_random

from cv_pipelines.errors import InfrastructureError, InputError

_BUSY_SECONDS = 10
SCHEMA = "0001"
"""The newest revision that this code knows."""


@lru_cache(maxsize=8)
def open_database(url: str) -> Engine:
    """Connect, and make sure that code and schema fit; once per process and URL.

    A database without tables is set up at once; an older one waits for `cv-pipelines db upgrade`.

    Raises:
        InputError: the URL is wrong, or the schema is older or newer than this code.
        InfrastructureError: the server does not answer.
    """
    engine = connect(url)
    try:
        found = schema_revision(engine)
    except DatabaseError as error:
        where = engine.url.render_as_string(hide_password=True)
        message = f"The database {where} does not answer. Check CV_DATABASE_URL and that the server runs."
        raise InfrastructureError("database", message, str(error)) from error
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
    """Make the engine, with SQLite set up for several processes that write."""
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite" and parsed.database:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
            return _sqlite(url)
        return create_engine(parsed, pool_pre_ping=True)
    except OSError as error:
        message = f"The database {url} cannot be made: {error.strerror}. Check CV_DATABASE_URL."
        raise InputError("database_url", message) from error
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError, ValueError) as error:
        raise InputError("database_url", f"CV_DATABASE_URL is not a database URL we know: {error}") from error


def schema_revision(engine: Engine) -> str | None:
    """The revision that the database says it has, None where nothing was ever set up."""
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _sqlite(url: str) -> Engine:
    """WAL, durable commits, and BEGIN IMMEDIATE: a deferred transaction loses updates under load."""
    engine = create_engine(url, isolation_level=None)

    @event.listens_for(engine, "connect")
    def _set_up(connection: Any, _: object) -> None:
        connection.isolation_level = None
        connection.execute(f"PRAGMA busy_timeout={_BUSY_SECONDS * 1000}")
        _switch_to_wal(connection)
        for pragma in ("synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

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
