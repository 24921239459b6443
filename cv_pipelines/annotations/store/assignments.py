"""Assignments: who is to label which images, in a first pass or a second, and how far they are.

An assignment is done when its person has said something of the image, whatever it is, after it was assigned.
Until then the person does not see what others say of the image (`blind_to`): two opinions are worth more than
one only where neither follows from the other.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from sqlalchemy import Connection, func, insert, select

from cv_pipelines.annotations.dealing import Dealt, deal
from cv_pipelines.database.clock import now
from cv_pipelines.database.label_tables import label_assignments, label_events

One = TypeVar("One")
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a person is.

    Attributes:
        who: the person.
        assigned: images, in either pass.
        second: those of the second pass.
        done: images of which they have said something since.
    """

    who: str
    assigned: int
    second: int
    done: int

    @property
    def open(self) -> int:
        """How many images they have still to label."""
        return self.assigned - self.done


def assign(
    connection: Connection,
    dataset: str,
    images: Collection[str],
    people: Sequence[str],
    by: str,
    twice: float = 0.0,
    seed: int = 0,
) -> list[Dealt]:
    """Deal images to people, see dealing.py; nobody gets an image that they have labelled, or have already.

    Args:
        connection: of store.events.writing: who assigns at the same time waits.
        dataset: the data set.
        images: ids; those that somebody has in the first pass are left out.
        people: each once.
        by: assigns them.
        twice: the part that is given to a second person, too.
        seed: of chance.
    """
    held = _held(connection, dataset, images)
    barred = _speakers(connection, dataset, images)
    for image_id, passes in held.items():
        barred[image_id].update(passes.values())
    free = [one for one in images if 1 not in held[one]]
    dealt = [one for one in deal(free, people, twice, seed, barred) if one.pass_number not in held[one.image_id]]
    for some in _portions(dealt):
        rows = [
            {"image_id": one.image_id, "pass_number": one.pass_number, "who": one.who, "assigned_by": by}
            for one in some
        ]
        connection.execute(insert(label_assignments), [{"dataset": dataset, **row} for row in rows])
    return dealt


def assigned_to(
    connection: Connection, dataset: str, who: str, after: str = "", most: int | None = None
) -> list[str]:
    """Ids of the images that a person has still to label, in order: those after one, at most so many, perhaps."""
    rows = label_assignments.c
    wanted = (rows.dataset == dataset, rows.who == who, rows.done_at.is_(None), rows.image_id > after)
    query = select(rows.image_id).where(*wanted).order_by(rows.image_id).distinct().limit(most)
    return list(connection.scalars(query))


def blind_to(connection: Connection, dataset: str, who: str, images: Collection[str]) -> set[str]:
    """Which of some images a person has still to label: what other people say of these is not shown to them.

    Of either pass: who labels first in the end is not known before.
    """
    rows, found = label_assignments.c, set[str]()
    for some in _portions(images):
        wanted = (rows.dataset == dataset, rows.image_id.in_(some), rows.who == who, rows.done_at.is_(None))
        found.update(connection.scalars(select(rows.image_id).where(*wanted)))
    return found


def finish(connection: Connection, dataset: str, who: str, images: Sequence[str]) -> None:
    """A person has said something of some images, a thousand at most: their assignments are done."""
    rows = label_assignments.c
    wanted = (rows.dataset == dataset, rows.image_id.in_(images), rows.who == who, rows.done_at.is_(None))
    connection.execute(label_assignments.update().where(*wanted).values(done_at=now()))


def reopen(connection: Connection, dataset: str, who: str, images: Sequence[str]) -> None:
    """A person has undone what they had said of some images: these are still to be labelled."""
    rows = label_assignments.c
    wanted = (rows.dataset == dataset, rows.image_id.in_(images), rows.who == who)
    connection.execute(label_assignments.update().where(*wanted).values(done_at=None))


def withdraw(connection: Connection, dataset: str, who: str | None = None) -> int:
    """Take open assignments back, of a person or of all; what is done stays. Returns how many."""
    rows = label_assignments.c
    wanted = [rows.dataset == dataset, rows.done_at.is_(None)] + ([rows.who == who] if who is not None else [])
    return connection.execute(label_assignments.delete().where(*wanted)).rowcount


def drop_image(connection: Connection, dataset: str, image_id: str) -> None:
    """Nobody is to label an image that is forgotten."""
    rows = label_assignments.c
    connection.execute(label_assignments.delete().where(rows.dataset == dataset, rows.image_id == image_id))


def progress_of(connection: Connection, dataset: str) -> list[Progress]:
    """How far each person is, by name."""
    rows = label_assignments.c
    second = func.count().filter(rows.pass_number == 2)
    query = select(rows.who, func.count(), second, func.count(rows.done_at)).where(rows.dataset == dataset)
    return [Progress(*row) for row in connection.execute(query.group_by(rows.who).order_by(rows.who))]


def taken_images(connection: Connection, dataset: str) -> set[str]:
    """Ids of the images that somebody has, or had, in the first pass."""
    rows = label_assignments.c
    query = select(rows.image_id).where(rows.dataset == dataset, rows.pass_number == 1)
    return set(connection.scalars(query))


def _held(connection: Connection, dataset: str, images: Collection[str]) -> defaultdict[str, dict[int, str]]:
    """Who has some images, by pass."""
    rows, found = label_assignments.c, defaultdict[str, dict[int, str]](dict)
    for some in _portions(images):
        query = select(rows.image_id, rows.pass_number, rows.who)
        for image_id, number, who in connection.execute(
            query.where(rows.dataset == dataset, rows.image_id.in_(some))
        ):
            found[image_id][number] = who
    return found


def _speakers(connection: Connection, dataset: str, images: Collection[str]) -> defaultdict[str, set[str]]:
    """The people who have said something of some images themselves, by whatever way."""
    events, found = label_events.c, defaultdict[str, set[str]](set)
    for some in _portions(images):
        wanted = (events.dataset == dataset, events.image_id.in_(some), events.origin == "person")
        for image_id, who in connection.execute(select(events.image_id, events.who).where(*wanted)):
            found[image_id].add(who)
    return found


def _portions(items: Collection[One]) -> Iterator[list[One]]:
    remaining = iter(items)
    while some := list(islice(remaining, _AT_ONCE)):
        yield some
