"""What changed between two moments, and the way back."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from cv_pipelines.annotations.store.classes import StoredClass, classes_of, restore_classes
from cv_pipelines.annotations.store.events import Author, Change, Written, append, newest_of
from cv_pipelines.annotations.store.versions import last_event
from cv_pipelines.database.label_tables import label_events

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Difference:
    """An image whose label is another one.

    Attributes:
        image_id: of the image.
        before: the content as in store/content.py, None where there was no label.
        after: likewise.
        who: has said what stands after.
    """

    image_id: str
    before: str | None
    after: str | None
    who: str


def differences(connection: Connection, dataset: str, before: int, after: int) -> Iterator[Difference]:
    """Images whose labels differ between two events, in the order of their ids; the later one may come first."""
    first, last = min(before, after), max(before, after)
    touched = select(label_events.c.image_id).where(
        label_events.c.dataset == dataset, label_events.c.id > first, label_events.c.id <= last
    )
    images = list(connection.scalars(touched.distinct().order_by(label_events.c.image_id)))
    for start in range(0, len(images), _AT_ONCE):
        some = images[start : start + _AT_ONCE]
        old, new = (_contents(connection, dataset, until, some) for until in (before, after))
        for image_id in some:
            (was, _), (stands, who) = (held.get(image_id, (None, "")) for held in (old, new))
            if was != stands:
                yield Difference(image_id, was, stands, who)


def class_differences(
    connection: Connection, dataset: str, before: int, after: int
) -> list[tuple[StoredClass | None, StoredClass | None]]:
    """Classes that differ between two of their events, by number: what each was, and what it is."""
    old, new = ({one.number: one for one in classes_of(connection, dataset, until)} for until in (before, after))
    pairs = [(old.get(number), new.get(number)) for number in sorted(old.keys() | new.keys())]
    return [(one, other) for one, other in pairs if one != other]


def count_changed(connection: Connection, dataset: str, since: int) -> int:
    """Images whose labels, as people and files have them, are others than at an event; one scan of what is new."""
    events = label_events
    new = (events.c.dataset == dataset, events.c.id > since)
    ends = [call(events.c.id).label(name) for call, name in ((func.min, "first"), (func.max, "last"))]
    touched = select(*ends).where(*new).group_by(events.c.image_id).subquery()
    first, last = events.alias(), events.alias()
    query = (
        select(func.count())
        .select_from(touched)
        .join(first, first.c.id == touched.c.first)
        .join(last, last.c.id == touched.c.last)
        .where(first.c.replaced != last.c.digest, last.c.origin != "model")
    )
    return connection.execute(query).scalar_one()


def restore(connection: Connection, dataset: str, event: int, class_event: int, who: str, note: str) -> Written:
    """Say once more what stood of every image, and of every class, at an earlier event: as new events.

    Args:
        connection: of store.events.writing.
        dataset: the data set.
        event: of an image.
        class_event: of a class.
        who: goes back.
        note: to what.
    """
    restore_classes(connection, dataset, class_event, who)
    changed = differences(connection, dataset, last_event(connection, dataset), event)
    changes = [Change(one.image_id, one.after) for one in changed]
    return append(connection, dataset, changes, Author(who, note=note))


def _contents(
    connection: Connection, dataset: str, until: int, images: list[str]
) -> dict[str, tuple[str | None, str]]:
    """What stood of images, and who had said so."""
    rows = newest_of(connection, dataset, images, ("image_id", "content", "who"), until)
    return {row.image_id: (row.content, row.who) for row in rows}
