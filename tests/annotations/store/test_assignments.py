"""Assignments on both databases: dealt, done, withdrawn, blind."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from cv_pipelines.annotations.store.assignments import (
    Progress,
    assign,
    assigned_to,
    blind_to,
    progress_of,
    taken_images,
    withdraw,
)
from cv_pipelines.annotations.store.classes import add_class
from cv_pipelines.annotations.store.events import Author, Change, append, erase, history, writing
from cv_pipelines.annotations.store.opinions import opinions_on
from cv_pipelines.database.engine import open_database
from tests.servers import on_both_databases

CAT, DOG = '{"classes":[0]}', '{"classes":[1]}'
IMAGES = [f"{number:04}" for number in range(1203)]


@pytest.fixture
def database(database_url: str) -> Iterator[Engine]:
    engine = open_database(database_url)
    yield engine
    engine.dispose()


def give(database: Engine, images: list[str], *people: str, twice: float = 0.0) -> set[tuple[str, int, str]]:
    with writing(database, "pets") as connection:
        dealt = assign(connection, "pets", images, people, "boss", twice)
    return {(one.image_id, one.pass_number, one.who) for one in dealt}


def say(database: Engine, author: Author | str, *images: str, content: str | None = CAT) -> None:
    by = Author(author) if isinstance(author, str) else author
    with writing(database, "pets") as connection:
        append(connection, "pets", [Change(image, content) for image in images], by)


def open_of(database: Engine, who: str) -> list[str]:
    with database.connect() as connection:
        return assigned_to(connection, "pets", who)


def progress(database: Engine) -> list[Progress]:
    with database.connect() as connection:
        return progress_of(connection, "pets")


@on_both_databases
def test_more_images_than_are_written_at_once_are_dealt_and_done(database: Engine) -> None:
    dealt = give(database, IMAGES, "ann", "bob", twice=0.5)
    anns = sorted(image for image, _, who in dealt if who == "ann")

    assert open_of(database, "ann") == anns
    assert progress(database) == [Progress("ann", len(anns), 301, 0), Progress("bob", 1805 - len(anns), 301, 0)]
    say(database, "ann", *anns[:700])
    assert open_of(database, "ann") == anns[700:]
    assert progress(database)[0] == Progress("ann", len(anns), 301, 700)
    with database.connect() as connection:
        assert assigned_to(connection, "pets", "ann", after=anns[800], most=3) == anns[801:804]
        assert taken_images(connection, "pets") == set(IMAGES)


@on_both_databases
def test_what_somebody_has_is_not_dealt_again(database: Engine) -> None:
    first = give(database, ["a", "b"], "ann")

    assert first == {("a", 1, "ann"), ("b", 1, "ann")}
    assert give(database, ["a", "b", "c"], "ann", "bob", twice=1.0) in (
        {("c", 1, "ann"), ("c", 2, "bob")},
        {("c", 1, "bob"), ("c", 2, "ann")},
    )


@on_both_databases
def test_what_is_done_is_not_withdrawn_and_what_is_withdrawn_can_be_dealt_anew(database: Engine) -> None:
    give(database, ["a", "b", "c"], "ann")
    give(database, ["d"], "bob")
    say(database, "ann", "a")
    with writing(database, "pets") as connection:
        assert withdraw(connection, "pets", "ann") == 2

    assert progress(database) == [Progress("ann", 1, 0, 1), Progress("bob", 1, 0, 0)]
    assert give(database, ["a", "b", "c", "d"], "cid") == {("b", 1, "cid"), ("c", 1, "cid")}
    with writing(database, "pets") as connection:
        assert withdraw(connection, "pets") == 3


def test_the_second_pass_stays_with_who_has_it_when_the_first_is_dealt_anew(database: Engine) -> None:
    give(database, ["a"], "ann", "bob", twice=1.0)
    with writing(database, "pets") as connection:
        withdraw(connection, "pets", "ann")

    assert give(database, ["a"], "bob", "cid", "dan", twice=1.0) == {("a", 1, "cid")}


def test_nobody_gets_what_they_have_labelled(database: Engine) -> None:
    say(database, "ann", "a")
    say(database, Author("ann", "model", "m1"), "b")
    say(database, Author("ann", "import", note="file"), "c")

    dealt = give(database, ["a", "b", "c"], "ann")

    assert dealt == {("b", 1, "ann"), ("c", 1, "ann")}


def test_others_models_and_files_do_nobodys_work(database: Engine) -> None:
    give(database, ["a", "b", "c"], "ann")
    say(database, "bob", "a")
    say(database, Author("ann", "model", "m1"), "b")
    say(database, Author("ann", note="back to 3657c5"), "c")

    assert open_of(database, "ann") == ["a", "b", "c"]
    say(database, "ann", "a", content=None)
    assert open_of(database, "ann") == ["b", "c"], "that there is nothing to say is said, too"


@on_both_databases
def test_who_has_still_to_label_an_image_is_blind_to_it(database: Engine) -> None:
    give(database, ["a", "b"], "ann", "bob", twice=1.0)
    say(database, "bob", "a")

    with database.connect() as connection:
        assert blind_to(connection, "pets", "ann", ["a", "b", "c"]) == {"a", "b"}
        assert blind_to(connection, "pets", "bob", ["a", "b", "c"]) == {"b"}
        assert blind_to(connection, "pets", "cid", ["a", "b", "c"]) == set()
    say(database, "ann", "a", content=DOG)
    with database.connect() as connection:
        assert blind_to(connection, "pets", "ann", ["a", "b"]) == {"b"}


def test_a_forgotten_image_is_nobodys_work(database: Engine) -> None:
    give(database, ["a", "b"], "ann")
    with writing(database, "pets") as connection:
        erase(connection, "pets", "a", Author("boss", note="forgotten"))

    assert open_of(database, "ann") == ["b"]


@on_both_databases
def test_who_undoes_what_they_have_said_has_it_still_to_say(database: Engine) -> None:
    give(database, ["a", "b"], "ann")
    say(database, "ann", "a", "b")
    say(database, "ann", "b", content=DOG)
    with writing(database, "pets") as connection:
        append(connection, "pets", [Change("a", None, undoes=0), Change("b", CAT, undoes=1)], Author("ann"))

    assert open_of(database, "ann") == ["a"], "of b the word before stands, which is theirs"


def test_who_takes_an_undoing_back_has_said_it_again(database: Engine) -> None:
    say(database, "bob", "a")
    give(database, ["a"], "ann")
    say(database, "ann", "a", content=DOG)
    for content, version, still in ((CAT, 1, ["a"]), (DOG, 2, []), (CAT, 3, ["a"]), (DOG, 4, [])):
        with writing(database, "pets") as connection:
            append(connection, "pets", [Change("a", content, undoes=version)], Author("ann"))
        assert open_of(database, "ann") == still, version


def test_who_is_refused_has_said_nothing(database: Engine) -> None:
    give(database, ["a", "b"], "ann")
    say(database, "bob", "a")
    with writing(database, "pets") as connection:
        written = append(connection, "pets", [Change("a", DOG, seen=0), Change("b", DOG, seen=0)], Author("ann"))

    assert [one.image_id for one in written.refused] == ["a"]
    assert open_of(database, "ann") == ["a"]


def test_who_says_what_they_had_only_gone_back_to_says_it_themselves(database: Engine) -> None:
    with writing(database, "pets") as connection:
        for name in ("cat", "dog"):
            add_class(connection, "pets", name, "boss")
    give(database, ["a"], "ann")
    say(database, "bob", "a")
    say(database, "ann", "a", content=DOG)
    with writing(database, "pets") as connection:
        append(connection, "pets", [Change("a", CAT, undoes=1)], Author("ann"))
    say(database, "ann", "a", content=CAT)
    say(database, "ann", "a", content=CAT)

    with database.connect() as connection:
        assert set(opinions_on(connection, "pets", "a").said) == {"ann", "bob"}
        assert len(history(connection, "pets", "a")) == 4, "once is enough"
    assert open_of(database, "ann") == []
