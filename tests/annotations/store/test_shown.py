"""Labels as pages show them."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from cv_pipelines.annotations.store.classes import add_class, classes_of, retire_class
from cv_pipelines.annotations.store.events import Author, Change, append, writing
from cv_pipelines.annotations.store.shown import count_labelled, shown_labels
from cv_pipelines.database.engine import open_database
from tests.servers import on_both_databases


@pytest.fixture
def database(database_url: str) -> Iterator[Engine]:
    engine = open_database(database_url)
    yield engine
    engine.dispose()


def label(database: Engine, *changes: Change, dataset: str = "pets", who: str = "ann") -> None:
    with writing(database, dataset) as connection:
        append(connection, dataset, changes, Author(who))


@on_both_databases
def test_images_show_their_classes_once_and_none_that_is_retired(database: Engine) -> None:
    with writing(database, "pets") as connection:
        for name in ("cat", "dog", "cow"):
            add_class(connection, "pets", name, "ann")
        retire_class(connection, "pets", "cow", "ann")
    boxes = '{"boxes":[[0,1.0,1.0,2.0,2.0],[0,3.0,3.0,2.0,2.0],[2,3.0,3.0,2.0,2.0]],"classes":[1]}'
    label(database, Change("a", '{"classes":[0]}'), Change("b", boxes), Change("c", "{}"), Change("d", None))
    label(database, Change("a", '{"classes":[1]}'), who="bob")

    with database.connect() as connection:
        classes = {one.number: one for one in classes_of(connection, "pets")}
        shown = shown_labels(connection, "pets", ["a", "b", "c", "d", "e"], classes)

    told = {image: ([one.name for one in label.classes], label.boxes, label.who) for image, label in shown.items()}
    assert told == {"a": (["dog"], 0, "bob"), "b": (["dog", "cat"], 2, "ann"), "c": ([], 0, "ann")}


@on_both_databases
def test_an_image_counts_while_anything_is_said_of_it(database: Engine) -> None:
    label(database, Change("a", "{}"), Change("b", '{"classes":[0]}'), Change("c", "{}"))
    label(database, Change("a", '{"classes":[0]}'), Change("b", None))
    label(database, Change("a", "{}"), dataset="others")
    label(database, Change("b", "{}"))
    label(database, Change("c", None))

    with database.connect() as connection:
        assert count_labelled(connection) == {"pets": 2, "others": 1}
