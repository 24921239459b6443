"""Nothing that was said is lost, and nobody is overwritten silently."""

import threading
from collections.abc import Iterator
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, func, select

from cv_pipelines.annotations.store.events import Author, Change, Refusal, append, heads, history, writing
from cv_pipelines.annotations.store.versions import state_of
from cv_pipelines.database.engine import open_database
from cv_pipelines.database.label_tables import label_events
from tests.servers import on_both_databases

ANN, BOB = Author("ann"), Author("bob")
CAT, DOG = '{"classes":[0]}', '{"classes":[1]}'


@pytest.fixture
def database(database_url: str) -> Iterator[Engine]:
    engine = open_database(database_url)
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def one_database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """For all examples of a property, which take a data set each."""
    engine = open_database(f"sqlite:///{tmp_path_factory.mktemp('labels') / 'cv.sqlite'}")
    yield engine
    engine.dispose()


def say(database: Engine, author: Author, *changes: Change, dataset: str = "pets") -> list[Refusal]:
    with writing(database, dataset) as connection:
        return append(connection, dataset, changes, author).refused


def versions(connection: Connection, *images: str) -> dict[str, int]:
    return {one.image_id: one.version for one in heads(connection, "pets", images)}


def standing(database: Engine, image: str = "a") -> tuple[int, str | None, str]:
    with database.connect() as connection:
        newest = history(connection, "pets", image)[0]
    return newest.version, newest.content, newest.who


@on_both_databases
def test_the_newest_event_stands_and_the_others_stay(database: Engine) -> None:
    assert say(database, ANN, Change("a", CAT, seen=0), Change("b", DOG, seen=0)) == []
    assert say(database, BOB, Change("a", DOG, seen=1)) == []

    assert standing(database) == (2, DOG, "bob")
    with database.connect() as connection:
        assert [(one.version, one.content, one.who) for one in history(connection, "pets", "a")] == [
            (2, DOG, "bob"),
            (1, CAT, "ann"),
        ]
        assert history(connection, "other", "a") == []
        assert {one.image_id: one.version for one in heads(connection, "pets", ["a", "b", "c"])} == {
            "a": 2,
            "b": 1,
        }


def test_who_has_seen_an_older_version_is_told_whose_the_newer_one_is(database: Engine) -> None:
    say(database, ANN, Change("a", CAT, seen=0))

    refused = say(database, BOB, Change("a", DOG, seen=0), Change("b", DOG, seen=0))

    assert refused == [Refusal("a", "conflict", 1, "ann")]
    assert standing(database) == (1, CAT, "ann")
    assert standing(database, "b") == (1, DOG, "bob")


@pytest.mark.parametrize("first", [ANN, Author("ann", "import")])
def test_a_models_label_replaces_no_persons_and_no_imported_one(database: Engine, first: Author) -> None:
    say(database, first, Change("a", CAT))

    refused = say(database, Author("ann", "model", "m1"), Change("a", DOG), Change("b", DOG))

    assert [(one.image_id, one.code) for one in refused] == [("a", "not_a_models")]
    assert standing(database)[1] == CAT
    say(database, Author("ann", "model", "m2"), Change("b", CAT))
    assert standing(database, "b") == (2, CAT, "ann"), "a model replaces a model's"
    say(database, first, Change("a", None))
    assert say(database, Author("ann", "model", "m1"), Change("a", DOG)) == [], "there is no label to replace"


def test_what_says_nothing_new_is_no_event_but_a_second_persons_agreement_is(database: Engine) -> None:
    imported = Author("ann", "import")
    say(database, imported, Change("a", CAT))
    say(database, Author("bob", "import"), Change("a", CAT))
    assert standing(database)[0] == 1

    say(database, ANN, Change("a", CAT))
    say(database, ANN, Change("a", CAT))
    say(database, BOB, Change("a", CAT))
    say(database, BOB, Change("never", None))

    assert standing(database) == (3, CAT, "bob")
    say(database, BOB, Change("a", CAT, adjudicates=True))
    assert standing(database)[0] == 4
    with database.connect() as connection:
        assert history(connection, "pets", "never") == []


def test_a_transaction_that_fails_has_said_nothing(database: Engine) -> None:
    def changes() -> Iterator[Change]:
        for number in range(1200):
            yield Change(f"{number}", CAT)
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError), writing(database, "pets") as connection:
        append(connection, "pets", changes(), ANN)

    with database.connect() as connection:
        assert connection.execute(select(func.count()).select_from(label_events)).scalar() == 0


@on_both_databases
def test_two_writers_at_once_lose_nothing(database: Engine) -> None:
    """Each adds what it has seen no newer version of, and looks again where somebody was quicker."""
    images, rounds = ("a", "b", "c"), 12
    written = {"ann": 0, "bob": 0}

    def write(author: Author) -> None:
        for number in range(rounds):
            for image in images:
                while True:
                    with database.connect() as connection:
                        seen = {one.image_id: one.version for one in heads(connection, "pets", [image])}.get(
                            image, 0
                        )
                    content = f'{{"classes":[{number}]}}'
                    if not say(database, author, Change(image, content, seen=seen)):
                        written[author.who] += 1
                        break

    writers = [threading.Thread(target=write, args=[author]) for author in (ANN, BOB)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()

    assert written == {"ann": rounds * len(images), "bob": rounds * len(images)}
    with database.connect() as connection:
        for image in images:
            events = history(connection, "pets", image)
            assert [one.version for one in events] == list(range(2 * rounds, 0, -1))
            for who in written:
                said = [one.content for one in reversed(events) if one.who == who]
                assert said == [f'{{"classes":[{number}]}}' for number in range(rounds)]


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["ann", "bob"]),
        st.sampled_from(["look", "write"]),
        st.sampled_from("abc"),
        st.sampled_from([None, CAT, DOG, "{}"]),
        st.sampled_from(["person", "model"]),
    ),
    max_size=40,
)


NUMBERS = count()


@given(STEPS)
def test_whatever_two_people_do_nobody_overwrites_what_they_have_not_seen(
    one_database: Engine, steps: list[tuple[str, ...]]
) -> None:
    database, dataset = one_database, f"pets-{next(NUMBERS)}"
    seen: dict[tuple[str, str], int] = {}
    model: dict[str, tuple[int, str | None, str]] = {}  # version, content, origin
    earlier = None
    for who, action, image, content, origin in steps:
        version, stands, by = model.get(image, (0, None, "model"))
        if action == "look":
            seen[who, image] = version
            continue
        based_on = seen.get((who, image), 0)
        author = Author(who, origin)  # type: ignore[arg-type]
        refused = say(database, author, Change(image, content, seen=based_on), dataset=dataset)
        if based_on != version:
            assert [one.code for one in refused] == ["conflict"]
        elif origin == "model" and by == "person" and stands is not None:
            assert [one.code for one in refused] == ["not_a_models"]
        else:
            assert refused == []
            with database.connect() as connection:
                events = history(connection, dataset, image)
            if events:
                model[image] = (events[0].version, events[0].content, events[0].origin)
            assert not events or events[0].content == content
            seen[who, image] = model.get(image, (0,))[0]
        with writing(database, dataset) as connection:
            now = state_of(connection, dataset, earlier)
            assert now == state_of(connection, dataset), "what follows from an earlier state is what is there"
            earlier = now
