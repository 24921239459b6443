"""A version is the same for the same labels and classes, whatever came in between."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, Engine

from cv_pipelines.annotations.annotation import NONE
from cv_pipelines.annotations.store.classes import (
    add_class,
    classes_of,
    ensure_classes,
    last_class_event,
    recolour_class,
    rename_class,
    retire_class,
)
from cv_pipelines.annotations.store.events import Author, Change, append, writing
from cv_pipelines.annotations.store.history import class_differences, differences, restore
from cv_pipelines.annotations.store.versions import state_of
from cv_pipelines.database.engine import open_database
from cv_pipelines.errors import InputError
from tests.servers import on_both_databases

ANN = Author("ann")
CAT, DOG = '{"classes":[0]}', '{"classes":[1]}'


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    engine: Engine = open_database(database_url)
    with writing(engine, "pets") as connection:
        ensure_classes(connection, "pets", [("cat", "", NONE), ("dog", "", NONE)], "ann")
        yield connection
    engine.dispose()


def say(connection: Connection, *said: tuple[str, str | None]) -> str:
    append(connection, "pets", [Change(image, content) for image, content in said], ANN)
    return state_of(connection, "pets").version


@on_both_databases
def test_a_way_there_and_back_ends_at_the_same_version(connection: Connection) -> None:
    first = say(connection, ("a", CAT), ("b", DOG))
    second = say(connection, ("a", DOG))

    assert second != first
    assert say(connection, ("a", CAT), ("c", CAT)) not in (first, second)
    assert say(connection, ("c", None)) == first
    assert state_of(connection, "other").version != first


def test_the_order_of_events_does_not_matter(connection: Connection) -> None:
    there = say(connection, ("a", CAT), ("b", DOG))
    assert say(connection, ("b", CAT), ("a", DOG)) != there, "labels change places"
    assert say(connection, ("b", DOG), ("a", CAT)) == there


def test_names_make_a_version_colours_do_not(connection: Connection) -> None:
    first = say(connection, ("a", CAT))

    recolour_class(connection, "pets", "cat", "#00FF00", "ann")
    assert state_of(connection, "pets").version == first
    assert classes_of(connection, "pets")[0].colour == "#00ff00"
    rename_class(connection, "pets", "cat", "tabby", "ann")
    renamed = state_of(connection, "pets").version
    retire_class(connection, "pets", "dog", "ann")

    assert len({first, renamed, state_of(connection, "pets").version}) == 3
    assert add_class(connection, "pets", "dog", "ann").number == 1, "it comes back as it was"
    assert state_of(connection, "pets").version == renamed


@pytest.mark.parametrize(
    ("act", "code"),
    [
        (lambda c: add_class(c, "pets", "cat", "ann"), "class_exists"),
        (lambda c: add_class(c, "pets", " ", "ann"), "class_name"),
        (lambda c: add_class(c, "pets", "a\nb", "ann"), "class_name"),
        (lambda c: add_class(c, "pets", "x", "ann", "red"), "colour"),
        (lambda c: rename_class(c, "pets", "cat", "dog", "ann"), "class_exists"),
        (lambda c: rename_class(c, "pets", "cow", "ox", "ann"), "no_class"),
        (lambda c: recolour_class(c, "pets", "cat", "#12345", "ann"), "colour"),
        (lambda c: retire_class(c, "pets", "cow", "ann"), "no_class"),
    ],
)
def test_what_cannot_be_a_class_is_refused(connection: Connection, act: object, code: str) -> None:
    with pytest.raises(InputError) as error:
        act(connection)  # type: ignore[operator]
    assert error.value.code == code


@on_both_databases
def test_one_can_go_back_to_a_version(connection: Connection) -> None:
    say(connection, ("a", CAT), ("b", DOG), ("c", DOG))
    then = state_of(connection, "pets")
    add_class(connection, "pets", "cow", "bob")
    rename_class(connection, "pets", "cat", "tabby", "bob")
    say(connection, ("a", '{"classes":[2]}'), ("b", None), ("d", CAT))
    event = state_of(connection, "pets").event

    found = list(differences(connection, "pets", then.event, event))
    assert [(one.image_id, one.before, one.after) for one in found] == [
        ("a", CAT, '{"classes":[2]}'),
        ("b", DOG, None),
        ("d", None, CAT),
    ]
    classes = class_differences(connection, "pets", then.class_event, last_class_event(connection, "pets"))
    assert [(one and one.name, other and other.name) for one, other in classes] == [
        ("cat", "tabby"),
        (None, "cow"),
    ]

    written = restore(connection, "pets", then.event, then.class_event, "ann", "back")

    assert written.events == 3
    assert state_of(connection, "pets").version == then.version
    assert list(differences(connection, "pets", then.event, state_of(connection, "pets").event)) == []
    assert [(one.name, one.state) for one in classes_of(connection, "pets")] == [
        ("cat", "active"),
        ("dog", "active"),
        ("cow", "retired"),
    ]
