"""Looking at what every step needs beside its node: database, object store, broker."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from math import ceil

from sqlalchemy import make_url, select

from cv_pipelines.database.clock import now
from cv_pipelines.database.engine import connect, reach, schema_revision


@dataclass(frozen=True)
class Database:
    """A database that has answered.

    Attributes:
        latency: seconds of a question and its answer.
        schema: its revision; None where nothing was ever set up.
        ahead: seconds by which this machine's clock is ahead of its; negative: behind.
        unsure: seconds by which that may be wrong.
    """

    latency: float
    schema: str | None
    ahead: float
    unsure: float


def look_at_database(url: str, seconds: float) -> Database:
    """Connect to a Postgres, and ask for time and schema.

    Args:
        url: of the database.
        seconds: for connecting.

    Raises:
        InputError: the server knows no such user, password or database.
        InfrastructureError: it does not answer.
    """
    limited = make_url(url).update_query_dict({"connect_timeout": str(ceil(seconds))})
    engine = connect(limited.render_as_string(hide_password=False))
    try:
        with reach(engine) as connection:
            connection.execute(select(now()))  # the first one takes longer
            asked = time.time()
            theirs: datetime = connection.execute(select(now())).scalar_one()
            answered = time.time()
        schema = schema_revision(engine)
    finally:
        engine.dispose()
    ours = datetime.fromtimestamp((asked + answered) / 2, UTC)
    latency = answered - asked
    return Database(latency, schema, (ours - theirs).total_seconds(), latency / 2)


def look_at_store(url: str) -> float:
    """Open the object store and look into it; returns the seconds that one look takes.

    Raises:
        InputError: there is no such bucket, or it is not for these credentials.
        InfrastructureError: the server does not answer.
    """
    from cv_pipelines.storage.factory import open_store

    store = open_store(url)
    began = time.monotonic()
    store.exists("node-check")
    return time.monotonic() - began


def look_at_broker(url: str) -> float:
    """Connect to the broker and go; returns the seconds that it takes.

    Raises:
        InputError: the URL, the credentials or the vhost are wrong.
        InfrastructureError: it does not answer.
    """
    from cv_pipelines.broker.connection import open_connection

    began = time.monotonic()
    connection = open_connection(url, "cv-pipelines node check")
    seconds = time.monotonic() - began
    connection.close()
    return seconds
