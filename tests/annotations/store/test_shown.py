"""How many images are labelled."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from cv_pipelines.annotations.store.events import Author, Change, append, writing
from cv_pipelines.annotations.store.shown import count_since
from cv_pipelines.annotations.store.versions import last_event
from cv_pipelines.database.engine import open_database
from tests.servers import on_both_databases


@pytest.fixture
def database(database_url: str) -> Iterator[Engine]:
    engine = open_database(database_url)
    yield engine
    engine.dispose()


def label(database: Engine, *changes: Change, dataset: str = "pets") -> int:
    with writing(database, dataset) as connection:
        append(connection, dataset, changes, Author("ann"))
        return last_event(connection, dataset)


@on_both_databases
def test_an_image_counts_while_anything_is_said_of_it(database: Engine) -> None:
    label(database, Change("a", "{}"), Change("b", '{"classes":[0]}'), Change("c", "{}"))
    label(database, Change("a", '{"classes":[0]}'), Change("b", None))
    label(database, Change("a", "{}"), dataset="others")
    label(database, Change("b", "{}"))
    label(database, Change("c", None))

    with database.connect() as connection:
        found = count_since(connection, {"pets": 0, "others": 0})

    assert {name: count for name, (_, count) in found.items()} == {"pets": 2, "others": 1}


@on_both_databases
def test_what_is_new_is_counted_on_its_own(database: Engine) -> None:
    first = label(database, Change("a", "{}"), Change("b", "{}"))
    other = label(database, Change("a", "{}"), dataset="others")
    last = label(database, Change("a", None), Change("b", '{"classes":[0]}'), Change("c", "{}"), Change("d", "{}"))

    with database.connect() as connection:
        assert count_since(connection, {"pets": first, "others": other, "none": 0}) == {"pets": (last, 1)}
        assert count_since(connection, {"pets": 0, "others": 0}) == {"pets": (last, 3), "others": (other, 1)}
        assert count_since(connection, {}) == {}
