"""Database, store and broker, as a node reaches them."""

import socket

import pytest
from sqlalchemy import text

from cv_pipelines.database.engine import SCHEMA, connect, open_database
from cv_pipelines.errors import CvError
from cv_pipelines.execution.node_check.judge_services import judge_broker, judge_database, judge_store
from cv_pipelines.execution.node_check.probe import Measured, Probe
from cv_pipelines.execution.node_check.services import (
    Database,
    look_at_broker,
    look_at_database,
    look_at_store,
)
from tests.installation import free_port
from tests.rabbitmq import RabbitMQ
from tests.servers import S3, Postgres

URL = "postgresql+psycopg://cv@server/cv"


def verdicts(database: Database) -> dict[str, str]:
    return {one.check: one.verdict for one in judge_database(URL, Measured(database))}


def test_what_is_on_this_machine_alone_is_missing() -> None:
    (database,) = judge_database("sqlite:////tmp/cv.sqlite", Measured(None))
    store = judge_store("file:///tmp/store", Measured(None))

    assert [database.verdict, store.verdict] == ["missing", "missing"]
    assert "CV_DATABASE_URL" in database.mend
    assert "CV_STORE_URL" in store.mend


def test_what_answers_slowly_is_a_warning_and_what_does_not_is_missing() -> None:
    assert judge_store("s3://bucket", Measured(0.02)).verdict == "ok"
    assert judge_store("s3://bucket", Measured(1.5)).verdict == "warning"
    assert judge_store("s3://bucket", Measured(None, "no answer")).verdict == "missing"
    assert judge_broker("amqp://broker", Measured(0.02)).verdict == "ok"
    assert judge_broker("amqp://broker", Measured(None, "no answer")).verdict == "missing"
    assert judge_broker("", Measured(None)).verdict == "skipped"


@pytest.mark.parametrize(
    ("schema", "verdict", "mend"),
    [
        (SCHEMA, "ok", ""),
        (None, "missing", "db upgrade"),
        ("0001", "missing", "db upgrade"),
        ("9999", "missing", "Update the program"),
    ],
)
def test_schemas(schema: str | None, verdict: str, mend: str) -> None:
    finding = judge_database(URL, Measured(Database(0.001, schema, 0.0, 0.0005)))[1]

    assert (finding.check, finding.verdict) == ("database schema", verdict)
    assert mend in finding.mend


@pytest.mark.parametrize(
    ("ahead", "unsure", "verdict"),
    [
        (0.1, 0.01, "ok"),
        (-1.9, 0.01, "ok"),
        (2.5, 0.01, "missing"),
        (-2.5, 0.01, "missing"),
        (2.5, 0.6, "ok"),  # a slow answer proves nothing
    ],
)
def test_clocks_may_differ_by_two_seconds(ahead: float, unsure: float, verdict: str) -> None:
    assert verdicts(Database(0.001, SCHEMA, ahead, unsure))["clock"] == verdict


def test_a_database_tells_its_time_and_schema(postgres: Postgres) -> None:
    url = postgres.new_database()

    empty = look_at_database(url, 5)
    open_database(url)
    ready = look_at_database(url, 5)

    assert (empty.schema, ready.schema) == (None, SCHEMA)
    assert abs(ready.ahead) < 1  # it is the same clock
    assert 0 < ready.unsure < ready.latency < 1
    assert set(verdicts(ready).values()) == {"ok"}


def test_to_look_at_a_database_makes_nothing_in_it(postgres: Postgres) -> None:
    url = postgres.new_database()

    look_at_database(url, 5)

    with connect(url).connect() as connection:
        tables = connection.execute(text("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")).scalar()
    assert tables == 0


def test_a_database_that_lets_nobody_in_says_so_without_the_password(postgres: Postgres) -> None:
    url = postgres.url("there_is_none").replace("cv@", "cv:secret@")

    measured = Probe(lambda: look_at_database(url, 5)).result()

    assert measured.value is None
    assert "there_is_none" in measured.problem
    assert "secret" not in measured.problem


def test_a_store_that_is_there_and_one_that_is_not(s3: S3) -> None:
    bucket = s3.new_bucket()

    assert 0 < look_at_store(f"{bucket}/nodes") < 5
    with pytest.raises(CvError, match="there is no such bucket"):
        look_at_store("s3://nobody-has-made-this")


def test_a_broker_that_is_there_and_one_that_is_not(rabbitmq: RabbitMQ) -> None:
    assert 0 < look_at_broker(rabbitmq.new_vhost()) < 5

    measured = Probe(lambda: look_at_broker(f"amqp://guest:guest@127.0.0.1:{free_port()}/"), 6).result()

    assert "does not answer" in measured.problem


def test_a_server_that_says_nothing_is_given_up() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        url = f"postgresql+psycopg://cv@127.0.0.1:{server.getsockname()[1]}/cv"

        measured = Probe(lambda: look_at_database(url, 2), 3).result()

    assert measured.value is None
    assert 1.5 < measured.seconds < 3.5
