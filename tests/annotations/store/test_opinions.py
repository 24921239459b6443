"""Opinions as the events tell them, on both databases."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from cv_pipelines.annotations.annotation import NONE
from cv_pipelines.annotations.opinions import Opinions
from cv_pipelines.annotations.store.classes import ensure_classes, last_class_event, retire_class
from cv_pipelines.annotations.store.events import Author, Change, Origin, append, heads, writing
from cv_pipelines.annotations.store.history import restore
from cv_pipelines.annotations.store.opinions import changed_since, opinions_on, read_opinions
from cv_pipelines.annotations.store.versions import last_event
from cv_pipelines.database.engine import open_database
from tests.servers import on_both_databases

CAT, DOG, BOX = '{"classes":[0]}', '{"classes":[1]}', '{"boxes":[[1,0,0,9,9]]}'


@pytest.fixture
def database(database_url: str) -> Iterator[Engine]:
    engine = open_database(database_url)
    with writing(engine, "pets") as connection:
        ensure_classes(connection, "pets", [("cat", "", NONE), ("dog", "", NONE)], "ann")
    yield engine
    engine.dispose()


def say(database: Engine, *said: tuple[Author | str, str, str | None], adjudicates: bool = False) -> int:
    """Events of the data set `pets`, and of another one; the id of the last."""
    for author, image, content in said:
        by = Author(author) if isinstance(author, str) else author
        for dataset, word in (("other", DOG), ("pets", content)):
            with writing(database, dataset) as connection:
                append(connection, dataset, [Change(image, word, adjudicates=adjudicates)], by)
                event = last_event(connection, dataset)
    return event


def labels(one: Opinions) -> dict[str, tuple[str, ...]]:
    return {who: (*said.classes, *(box.label for box in said.boxes)) for who, said in one.open.items()}


def read(database: Engine, **options: object) -> dict[str, dict[str, tuple[str, ...]]]:
    return {one.image: labels(one) for one in read_opinions(database, "pets", **options)}  # type: ignore[arg-type]


@on_both_databases
def test_images_of_two_people_or_more_are_read(database: Engine) -> None:
    source, model = Author("source", "import"), Author("dan", "model", "m1")
    say(database, (source, "a", CAT), ("ann", "a", CAT), ("bob", "a", DOG), ("ann", "a", BOX))
    say(database, (model, "b", CAT), ("ann", "b", DOG), (source, "c", CAT), (model, "d", CAT))
    say(database, (source, "e", DOG), ("bob", "e", CAT), ("ann", "e", CAT))

    assert read(database) == {
        "a": {"ann": ("dog",), "bob": ("dog",)},
        "e": {"ann": ("cat",), "bob": ("cat",)},
    }
    assert [(one.image, one.version, one.in_dispute) for one in read_opinions(database, "pets")] == [
        ("a", 4, True),
        ("e", 3, False),
    ]
    assert read(database, present={"e"}) == {"e": {"ann": ("cat",), "bob": ("cat",)}}


@on_both_databases
def test_a_verdict_stands_until_somebody_says_otherwise(database: Engine) -> None:
    say(database, ("ann", "a", CAT), ("bob", "a", DOG))
    say(database, ("cid", "a", DOG), adjudicates=True)
    assert read(database) == {"a": {"cid": ("dog",)}}
    say(database, ("ann", "a", CAT))

    (now,) = read_opinions(database, "pets")
    assert (labels(now), now.in_dispute, now.version) == ({"cid": ("dog",), "ann": ("cat",)}, True, 4)
    with database.connect() as connection:
        assert opinions_on(connection, "pets", "a") == now
        assert opinions_on(connection, "pets", "never") == Opinions("never")


def test_a_second_person_who_agrees_is_an_opinion(database: Engine) -> None:
    say(database, ("ann", "a", CAT), ("bob", "a", CAT), ("bob", "a", CAT))

    assert read(database) == {"a": {"ann": ("cat",), "bob": ("cat",)}}


def test_what_is_retired_or_taken_away_is_no_opinion(database: Engine) -> None:
    say(database, ("ann", "a", CAT), ("bob", "a", DOG), ("ann", "b", CAT), ("bob", "b", None))
    say(database, ("ann", "c", CAT), ("bob", "c", "{}"))
    with writing(database, "pets") as connection:
        retire_class(connection, "pets", "dog", "ann")

    assert read(database) == {"a": {"ann": ("cat",)}, "b": {"ann": ("cat",)}, "c": {"ann": ("cat",), "bob": ()}}


def test_who_goes_back_to_a_version_has_not_looked_at_its_images(database: Engine) -> None:
    event = say(database, ("ann", "a", CAT), ("bob", "b", CAT), ("ann", "b", CAT))
    say(database, ("ann", "a", DOG), ("ann", "b", DOG))
    with writing(database, "pets") as connection:
        restore(connection, "pets", event, last_class_event(connection, "pets"), "cid", "back to 3657c5")

    assert read(database) == {"b": {"ann": ("dog",), "bob": ("cat",)}}


def test_more_images_than_are_read_at_once(database: Engine) -> None:
    with writing(database, "pets") as connection:
        for who, content in (("ann", CAT), ("bob", DOG)):
            append(connection, "pets", (Change(f"{n:04}", content) for n in range(1203)), Author(who))

    found = list(read_opinions(database, "pets"))

    assert [one.image for one in found] == [f"{n:04}" for n in range(1203)]
    assert all(one.in_dispute for one in found)


def undo(database: Engine, who: str, to: int, content: str | None, origin: Origin = "person") -> None:
    with writing(database, "pets") as connection:
        append(connection, "pets", [Change("a", content, undoes=to)], Author(who, origin))


@on_both_databases
def test_what_somebody_has_undone_was_never_their_opinion(database: Engine) -> None:
    say(database, ("ann", "a", CAT), ("bob", "a", DOG))
    assert next(read_opinions(database, "pets")).in_dispute
    before = last_of(database)
    undo(database, "bob", 1, CAT)

    assert read(database) == {"a": {"ann": ("cat",)}}
    with database.connect() as connection:
        assert changed_since(connection, "pets", before, last_of(database)) == ["a"]


def test_undoing_brings_back_what_the_same_person_had_said_before(database: Engine) -> None:
    say(database, ("ann", "a", CAT), ("bob", "a", CAT), ("ann", "a", DOG), ("ann", "a", BOX))
    undo(database, "ann", 3, DOG)
    assert read(database) == {"a": {"ann": ("dog",), "bob": ("cat",)}}
    undo(database, "ann", 2, CAT)
    assert read(database) == {"a": {"ann": ("cat",), "bob": ("cat",)}}


def test_what_is_undone_and_done_again_is_an_opinion(database: Engine) -> None:
    say(database, ("ann", "a", CAT), ("bob", "a", DOG))
    undo(database, "bob", 1, CAT)
    undo(database, "bob", 2, DOG)

    assert read(database) == {"a": {"ann": ("cat",), "bob": ("dog",)}}


def test_a_verdict_that_is_undone_settles_nothing(database: Engine) -> None:
    say(database, ("ann", "a", CAT), ("bob", "a", DOG))
    say(database, ("cid", "a", DOG), adjudicates=True)
    undo(database, "cid", 2, DOG)

    assert read(database) == {"a": {"ann": ("cat",), "bob": ("dog",)}}


def test_what_others_have_said_since_stays_their_opinion(database: Engine) -> None:
    say(database, ("ann", "a", CAT), ("ann", "a", DOG), ("bob", "a", BOX))
    undo(database, "ann", 1, CAT)

    assert read(database) == {"a": {"ann": ("cat",), "bob": ("dog",)}}


def test_undoing_goes_back_to_a_models_label_though_a_person_has_spoken_since(database: Engine) -> None:
    say(database, (Author("ann", "model", "m1"), "a", CAT), ("ann", "a", DOG))
    undo(database, "ann", 1, CAT, "model")

    with database.connect() as connection:
        (head,) = heads(connection, "pets", ["a"])
        assert (head.version, head.origin, head.who) == (3, "model", "ann")
        assert opinions_on(connection, "pets", "a").said == {}


def last_of(database: Engine) -> int:
    with database.connect() as connection:
        return last_event(connection, "pets")
