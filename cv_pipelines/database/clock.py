"""The database's own clock: the only one that the platform's records know."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import DateTime, Engine, Float, ScalarSelect, literal, select, types
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import FunctionElement

from cv_pipelines.database.engine import reading


class UtcDateTime(types.TypeDecorator[datetime]):
    """A point in time: aware and UTC in Python, whatever the database keeps."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Store UTC."""
        return value.astimezone(UTC) if value else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """SQLite forgets the zone, and Postgres tells the time in the session's."""
        if value is None:
            return None
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


class now(FunctionElement[datetime]):  # noqa: N801 - an SQL function, written as one
    """The current time, to the millisecond or better."""

    type = UtcDateTime()
    inherit_cache = True


class from_now(FunctionElement[datetime]):  # noqa: N801 - an SQL function, written as one
    """The time some seconds after now, or before it where they are negative: `from_now(-60.0)`."""

    type = UtcDateTime()
    inherit_cache = True

    def __init__(self, seconds: float) -> None:
        super().__init__(literal(float(seconds), Float))


class seconds_since(FunctionElement[float]):  # noqa: N801 - an SQL function, written as one
    """Seconds from a point in time, a column perhaps, until now; NULL where there is none."""

    type = Float()
    inherit_cache = True


def ago(seconds: float) -> ScalarSelect[datetime]:
    """A time in the past that is asked for once: Postgres would ask its clock for every row, and use no index."""
    return select(from_now(-seconds)).scalar_subquery()


def time_of(database: Engine) -> float:
    """What the clock shows, in seconds since 1970."""
    with reading(database) as connection:
        return connection.execute(select(now())).scalar_one().timestamp()


@compiles(now, "sqlite")
def _sqlite_now(element: now, compiler: SQLCompiler, **options: Any) -> str:
    return "strftime('%Y-%m-%d %H:%M:%f000', 'now')"


@compiles(now)
def _standard_now(element: now, compiler: SQLCompiler, **options: Any) -> str:
    return "clock_timestamp()"


@compiles(from_now, "sqlite")
def _sqlite_from_now(element: from_now, compiler: SQLCompiler, **options: Any) -> str:
    seconds = compiler.process(element.clauses, **options)
    return f"strftime('%Y-%m-%d %H:%M:%f000', 'now', {seconds} || ' seconds')"


@compiles(from_now)
def _standard_from_now(element: from_now, compiler: SQLCompiler, **options: Any) -> str:
    return f"(clock_timestamp() + make_interval(secs => {compiler.process(element.clauses, **options)}))"


@compiles(seconds_since, "sqlite")
def _sqlite_seconds_since(element: seconds_since, compiler: SQLCompiler, **options: Any) -> str:
    moment = compiler.process(element.clauses, **options)
    return f"((julianday('now') - julianday({moment})) * 86400.0)"


@compiles(seconds_since)
def _standard_seconds_since(element: seconds_since, compiler: SQLCompiler, **options: Any) -> str:
    moment = compiler.process(element.clauses, **options)
    return f"CAST(EXTRACT(EPOCH FROM (clock_timestamp() - {moment})) AS DOUBLE PRECISION)"
