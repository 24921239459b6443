import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import create_engine, select

from cv_pipelines.catalog import Catalog
from cv_pipelines.database.clock import now
from cv_pipelines.database.tables import models
from tests.servers import on_both_databases


@pytest.fixture
def _far_east(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def stored_time(catalog: Catalog, **values: datetime) -> datetime:
    with catalog.database.begin() as connection:
        connection.execute(models.insert().values(version="v", dataset="d", key="k", **values))
    with catalog.database.connect() as connection:
        return connection.execute(select(models.c.created_at)).scalar_one()


@on_both_databases
@pytest.mark.usefixtures("_far_east")
def test_the_time_of_a_row_is_the_databases_in_utc(catalog: Catalog) -> None:
    before = datetime.now(UTC)
    stored = stored_time(catalog)

    assert stored.utcoffset() == timedelta(0)
    assert before - timedelta(seconds=1) <= stored <= datetime.now(UTC) + timedelta(seconds=1)


@on_both_databases
@pytest.mark.usefixtures("_far_east")
def test_a_time_of_any_zone_comes_back_as_the_same_moment_in_utc(catalog: Catalog) -> None:
    moment = datetime(2024, 2, 29, 23, 30, 15, 123456, tzinfo=timezone(timedelta(hours=-7)))

    stored = stored_time(catalog, created_at=moment)

    assert stored == moment
    assert (stored.day, stored.hour, stored.utcoffset()) == (1, 6, timedelta(0))


@on_both_databases
def test_the_current_time_can_be_asked_for(catalog: Catalog) -> None:
    with catalog.database.connect() as connection:
        moment = connection.execute(select(now())).scalar_one()

    assert moment.utcoffset() == timedelta(0)
    assert abs(moment - datetime.now(UTC)) < timedelta(minutes=1)


def test_the_clock_is_written_in_the_words_of_each_database() -> None:
    assert str(now().compile(create_engine("postgresql+psycopg://"))) == "clock_timestamp()"
    assert "strftime" in str(now().compile(create_engine("sqlite://")))


@on_both_databases
def test_times_in_the_database_sort_as_they_passed(catalog: Catalog) -> None:
    early = datetime(2024, 1, 1, 9, tzinfo=UTC)
    late = datetime(2024, 1, 1, 8, tzinfo=timezone(timedelta(hours=-3)))
    with catalog.database.begin() as connection:
        for version, moment in (("late", late), ("early", early)):
            row = {"version": version, "dataset": "d", "key": "k", "created_at": moment}
            connection.execute(models.insert().values(row))
    query = select(models.c.version).order_by(models.c.created_at)

    with catalog.database.connect() as connection:
        assert connection.execute(query).scalars().all() == ["early", "late"]
        assert connection.execute(query.where(models.c.created_at > early)).scalars().all() == ["late"]
