"""The events of the label store: what was said of each image, by whom; nothing is ever changed, only added."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Literal

from sqlalchemy import Connection, Engine, Integer, Row, String, column, insert, select, update, values

from cv_pipelines.annotations.store.assignments import drop_image, finish, reopen
from cv_pipelines.annotations.store.content import NOTHING, digest_of
from cv_pipelines.database.label_tables import label_events
from cv_pipelines.database.locks import take_turns

Origin = Literal["person", "import", "model"]
_AT_ONCE = 500
_PAGE = 20_000
UNDONE = "undone to version "


@dataclass(frozen=True, slots=True)
class Author:
    """From whom, and from what, labels are.

    Attributes:
        who: the person, also where they have imported a file or have let a model label.
        origin: whether a person has looked at the image, or it comes from a file, or from a model.
        model: the model's version.
        note: name of the file.
    """

    who: str
    origin: Origin = "person"
    model: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be said of an image.

    Attributes:
        image_id: of the image.
        content: the whole annotation, see store/content.py; None takes the label away.
        seen: the version that it is based on, 0 where there was none: the optimistic lock. None: any.
        adjudicates: it settles a disagreement between annotators.
        undoes: back to the version of this number: what its author has said since then was a mistake, and is no
            opinion of theirs. None: it says something of its own.
    """

    image_id: str
    content: str | None
    seen: int | None = None
    adjudicates: bool = False
    undoes: int | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """A change that was not made.

    Attributes:
        image_id: of the image.
        code: `conflict`: somebody was quicker; `not_a_models`: no model replaces a person's or an imported label;
            `a_persons`: a person has said something else than the file.
        version: that stands.
        who: has made it.
    """

    image_id: str
    code: Literal["conflict", "not_a_models", "a_persons"]
    version: int
    who: str


@dataclass
class Written:
    """What came of changes: how many became events, how many said nothing new, and which ones were refused."""

    events: int = 0
    unchanged: int = 0
    refused: list[Refusal] = field(default_factory=list)


@contextmanager
def writing(database: Engine, dataset: str) -> Iterator[Connection]:
    """A transaction that adds events of a data set; writers take turns.

    So ids are in the order of commits: who has read all events up to one misses none below it.
    """
    with database.begin() as connection:
        take_turns(connection, f"labels of {dataset}")
        yield connection


def append(
    connection: Connection,
    dataset: str,
    changes: Iterable[Change],
    author: Author,
    over_people: bool = False,
    known: Mapping[str, Row[Any]] | None = None,
) -> Written:
    """Add events for changes; those that may not be made are refused, the others are made.

    Args:
        connection: of `writing`.
        dataset: the data set.
        changes: each of another image; read as a stream.
        author: of all of them.
        over_people: an import replaces labels of people, too.
        known: the newest events by image, as `heads` has them, where the caller has read them in this transaction.
    """
    written, remaining = Written(), iter(changes)
    while some := list(islice(remaining, _AT_ONCE)):
        standing = known
        if standing is None:
            standing = {row.image_id: row for row in heads(connection, dataset, [one.image_id for one in some])}
        rows: list[dict[str, Any]] = []
        said: list[str] = []
        undone: dict[str, int] = {}
        for change in some:
            head = standing.get(change.image_id)
            digest = digest_of(change.image_id, change.content)
            refusal = _refusal(change, digest, head, author, over_people)
            if refusal is not None:
                written.refused.append(refusal)
                continue
            if change.undoes is not None:
                undone[change.image_id] = change.undoes
            else:
                said.append(change.image_id)
            if _says_the_same(digest, head, author) and not change.adjudicates and change.undoes is None:
                written.unchanged += 1
            else:
                rows.append(_row(dataset, change, digest, head, author))
        if rows:
            connection.execute(insert(label_events), rows)
        if author.origin == "person" and not author.note:  # what has a note was said of many images at once
            finish(connection, dataset, author.who, said)
        if undone:
            _go_back(connection, dataset, author.who, undone)
        written.events += len(rows)
    return written


def heads(connection: Connection, dataset: str, images: Sequence[str]) -> Sequence[Row[Any]]:
    """The newest events of some images, at most a thousand, without what they say."""
    columns = ("image_id", "version", "digest", "origin", "who", "model", "note")
    return newest_of(connection, dataset, images, columns)


def newest_of(
    connection: Connection, dataset: str, images: Sequence[str], columns: Iterable[str], until: int | None = None
) -> Sequence[Row[Any]]:
    """Some columns of the newest events of some images, at most a thousand: of events up to an id, perhaps.

    In two steps, the first of which looks into the index for each image: with a join or a group, a Postgres that
    has not counted the table yet reads all of it, every time.
    """
    if not images:
        return []
    events = label_events
    if len(images) == 1:  # a key press: a statement that is always the same is compiled once
        of_image = [events.c.dataset == dataset, events.c.image_id == images[0]]
        if until is not None:
            of_image.append(events.c.id <= until)
        one = select(*(events.c[name] for name in columns)).where(*of_image)
        return connection.execute(one.order_by(events.c.version.desc()).limit(1)).all()
    given = values(column("image_id", String), name="given").data([(one,) for one in images]).cte("given")
    wanted = [events.c.dataset == dataset, events.c.image_id == given.c.image_id]
    if until is not None:
        wanted.append(events.c.id <= until)
    newest = select(events.c.id).where(*wanted).order_by(events.c.version.desc()).limit(1).correlate(given)
    last = [one for one in connection.scalars(select(newest.scalar_subquery()).select_from(given)) if one]
    found = select(*(events.c[name] for name in columns)).where(events.c.id.in_(last))
    return connection.execute(found).all()


def versions_of(
    connection: Connection, dataset: str, wanted: Sequence[tuple[str, int]], columns: Iterable[str]
) -> Sequence[Row[Any]]:
    """Some columns of events by image and version, some thousand at most; in two steps as in `newest_of`."""
    if not wanted:
        return []
    events = label_events
    given = (
        values(column("image_id", String), column("version", Integer), name="given")
        .data(list(wanted))
        .cte("given")
    )
    same = (events.c.image_id == given.c.image_id, events.c.version == given.c.version)
    of_given = select(events.c.id).where(events.c.dataset == dataset, *same).correlate(given).scalar_subquery()
    there = [one for one in connection.scalars(select(of_given).select_from(given)) if one]
    return connection.execute(select(*(events.c[name] for name in columns)).where(events.c.id.in_(there))).all()


def page(
    connection: Connection, dataset: str, columns: Sequence[str], after: int, until: int | None = None
) -> Sequence[Row[Any]]:
    """The next events after an id, in their order, some thousand at most: `id` and some columns.

    Whoever reads all of them reads pages, in a transaction each where that may take long: SQLite lets nobody write
    meanwhile, and Postgres closes what idles in one. Nothing is lost by it, for events do not change.
    """
    events = label_events
    wanted = [events.c.dataset == dataset, events.c.id > after] + (
        [events.c.id <= until] if until is not None else []
    )
    query = select(events.c.id, *(events.c[name] for name in columns)).where(*wanted)
    return connection.execute(query.order_by(events.c.id).limit(_PAGE)).all()


def history(connection: Connection, dataset: str, image_id: str) -> Sequence[Row[Any]]:
    """All events of an image, newest first."""
    wanted = (label_events.c.dataset == dataset, label_events.c.image_id == image_id)
    return connection.execute(select(label_events).where(*wanted).order_by(label_events.c.version.desc())).all()


def erase(connection: Connection, dataset: str, image_id: str, author: Author) -> None:
    """Take the label of an image away, and what was ever said of it; that something was, and by whom, stays."""
    append(connection, dataset, [Change(image_id, None)], author)
    drop_image(connection, dataset, image_id)
    of_image = (label_events.c.dataset == dataset, label_events.c.image_id == image_id)
    connection.execute(update(label_events).where(*of_image).values(content=None))


def _refusal(
    change: Change, digest: bytes, head: Row[Any] | None, author: Author, over_people: bool
) -> Refusal | None:
    version, who = (head.version, head.who) if head else (0, "")
    if change.seen is not None and change.seen != version:
        return Refusal(change.image_id, "conflict", version, who)
    if head is None or not any(head.digest) or change.undoes is not None:
        return None
    if author.origin == "model" and head.origin != "model":
        return Refusal(change.image_id, "not_a_models", version, who)
    if author.origin == "import" and head.origin == "person" and not over_people and bytes(head.digest) != digest:
        return Refusal(change.image_id, "a_persons", version, who)
    return None


def _says_the_same(digest: bytes, head: Row[Any] | None, author: Author) -> bool:
    """Whether there is nothing to add; that a second person agrees with a first one is.

    So is that somebody says of one image what they have only brought back to it, or said of many at once.
    """
    if head is None:
        return not any(digest)
    if bytes(head.digest) != digest or (author.origin == "person" and head.note and not author.note):
        return False
    return author.origin == "import" or (head.origin, head.who, head.model) == (
        author.origin,
        author.who,
        author.model,
    )


def _row(dataset: str, change: Change, digest: bytes, head: Row[Any] | None, author: Author) -> dict[str, Any]:
    version, replaced = (head.version + 1, bytes(head.digest)) if head else (1, NOTHING)
    of = {"dataset": dataset, "image_id": change.image_id, "version": version}
    what = {"content": change.content, "digest": digest, "replaced": replaced, "adjudicates": change.adjudicates}
    note = author.note if change.undoes is None else undone_note(change.undoes)
    return of | what | {"origin": author.origin, "who": author.who, "model": author.model, "note": note}


def _go_back(connection: Connection, dataset: str, who: str, undone: Mapping[str, int]) -> None:
    """Who has undone what they have said has it still to say, unless a word of their own stands again by that."""
    own, looked_for = set[str](), dict(undone)
    while looked_for:
        rows = versions_of(connection, dataset, list(looked_for.items()), ("image_id", "origin", "who", "note"))
        theirs = [row for row in rows if row.who == who]
        own |= {row.image_id for row in theirs if row.origin == "person" and not row.note}
        back = ((row.image_id, undone_version(row.note)) for row in theirs)  # what itself went back, and to what
        looked_for = {image: version for image, version in back if version is not None}
    finish(connection, dataset, who, sorted(own))
    reopen(connection, dataset, who, [image for image in undone if image not in own])


def undone_note(version: int) -> str:
    """The note of an event that goes back to a version of the label of its image."""
    return f"{UNDONE}{version}"


def undone_version(note: str) -> int | None:
    """The version that an event with this note goes back to, None where it is none of these."""
    version = note.removeprefix(UNDONE)
    return int(version) if note != version and version.isdecimal() else None
