"""What people have said of images, read from the events: only of those that two or more have looked at."""

from collections.abc import Callable, Container, Iterator, Sequence
from functools import lru_cache
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Engine, Row, and_, func, or_, select

from cv_pipelines.annotations.annotation import Annotation
from cv_pipelines.annotations.opinions import Opinions, Statement, opinions_of
from cv_pipelines.annotations.store.classes import classes_of
from cv_pipelines.annotations.store.content import annotation_of, classes_in
from cv_pipelines.annotations.store.events import UNDONE, undone_version
from cv_pipelines.database.engine import reading
from cv_pipelines.database.label_tables import label_events

_AT_ONCE = 500


def read_opinions(
    database: Engine, dataset: str, present: Container[str] | None = None, until: int | None = None
) -> Iterator[Opinions]:
    """The opinions of the images that two or more people have said something of, by the ids of the images.

    A person's opinion is the newest event of theirs; none is a label that they took away, what they have undone,
    what consists of nothing but retired classes, or what was said in bulk by going back to a version.

    Args:
        database: where the events are.
        dataset: the data set.
        present: ids of the images that count; None: all.
        until: as they were after this event; None: now.
    """
    with reading(database) as connection:
        images = [one for one in _several(connection, dataset) if present is None or one in present]
    yield from opinions_of_images(database, dataset, images, until)


def opinions_of_images(
    database: Engine, dataset: str, images: Sequence[str], until: int | None = None
) -> Iterator[Opinions]:
    """The opinions of some images, by their ids; those of which nobody has said anything are left out.

    Args:
        database: where the events are.
        dataset: the data set.
        images: their ids.
        until: as they were after this event; classes are always those of now.
    """
    with reading(database) as connection:
        read = _reader(connection, dataset)
    for start in range(0, len(images), _AT_ONCE):
        some = images[start : start + _AT_ONCE]
        with reading(database) as connection:  # one each: nothing is held until all are read
            rows = _events(connection, dataset, some, until)
        for image_id, of_image in groupby(rows, key=lambda row: row.image_id):
            yield _opinions(image_id, list(of_image), read)


def changed_since(connection: Connection, dataset: str, event: int, until: int) -> list[str]:
    """Ids of the images of which a person has said or undone something after one event, up to another one."""
    events = label_events.c
    wanted = (events.dataset == dataset, events.id > event, events.id <= until)
    of_people = or_(and_(events.origin == "person", events.note == ""), events.note.startswith(UNDONE))
    return sorted(connection.scalars(select(events.image_id).where(*wanted, of_people).distinct()))


def opinions_on(connection: Connection, dataset: str, image_id: str) -> Opinions:
    """The opinions of one image, also where there are fewer than two."""
    read = _reader(connection, dataset)
    return _opinions(image_id, _events(connection, dataset, [image_id]), read)


def _reader(connection: Connection, dataset: str) -> Callable[[str], Annotation | None]:
    """What contents say, without classes that are retired; None where these were all. Many say the same."""
    names = {one.number: one.name for one in classes_of(connection, dataset) if one.state != "retired"}

    @lru_cache(maxsize=_AT_ONCE)
    def read(content: str) -> Annotation | None:
        said = annotation_of(content, names, "")
        nothing_left = not said.classes and not said.boxes and any(classes_in(content))
        return None if nothing_left else said

    return read


def _several(connection: Connection, dataset: str) -> Sequence[str]:
    """Images of which two people have said something; 70 bytes each are held."""
    events = label_events.c
    wanted = (events.dataset == dataset, events.origin == "person", events.note == "")
    first, last = connection.execute(select(func.min(events.who), func.max(events.who)).where(*wanted)).one()
    if first == last:
        return []  # one person, or nobody: there is no need to look at the images
    query = select(events.image_id).where(*wanted).group_by(events.image_id)
    several = query.having(func.min(events.who) != func.max(events.who))
    return connection.scalars(several.order_by(events.image_id)).all()


def _events(
    connection: Connection, dataset: str, images: Sequence[str], until: int | None = None
) -> Sequence[Row[Any]]:
    """All events of some images, oldest first; up to one, perhaps."""
    names = ("image_id", "version", "who", "origin", "note", "content", "adjudicates")
    wanted = [label_events.c.dataset == dataset, label_events.c.image_id.in_(images)]
    if until is not None:
        wanted.append(label_events.c.id <= until)
    query = select(*(label_events.c[name] for name in names)).where(*wanted)
    return connection.execute(query.order_by(label_events.c.image_id, label_events.c.version)).all()


def stated(rows: Sequence[Row[Any]]) -> list[Row[Any]]:
    """Of the events of one image, oldest first, those by which somebody says what they think of it.

    What has a note was said of many images at once: nobody has looked at this one for it. What its author has
    undone was a mistake; going back again from there takes the undoing away.
    """
    counting: list[Row[Any]] = []
    undone_to: dict[str, int] = {}
    for row in reversed(rows):
        if row.version > undone_to.get(row.who, row.version):
            continue
        version = undone_version(row.note)
        if version is not None:
            undone_to[row.who] = version
        elif row.origin == "person" and not row.note:
            counting.append(row)
    return counting[::-1]


def _opinions(image_id: str, rows: Sequence[Row[Any]], read: Callable[[str], Annotation | None]) -> Opinions:
    statements = (
        Statement(row.who, read(row.content) if row.content is not None else None, row.adjudicates)
        for row in stated(rows)
    )
    return opinions_of(image_id, rows[-1].version if rows else 0, statements)
