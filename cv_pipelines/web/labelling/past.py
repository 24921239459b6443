"""What was said of images before some changes of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from cv_pipelines.annotations.store.assignments import blind_to
from cv_pipelines.annotations.store.events import newest_of, versions_of
from cv_pipelines.database.tables import forgotten_images
from cv_pipelines.web.labelling.changes import ChangeBody

COLUMNS = ("image_id", "version", "content", "digest", "origin", "who", "model", "note", "adjudicates")


@dataclass(frozen=True)
class Past:
    """Events that changes are about.

    Attributes:
        present: images of which anything can be said: those of the data set that are not forgotten.
        heads: the newest event of each image.
        events: those that changes are based on, or go back to, by image and version.
        blind: images that are assigned to who makes the changes: what other people say of them is not shown.
    """

    present: set[str]
    heads: Mapping[str, Row[Any]]
    events: Mapping[tuple[str, int], Row[Any]]
    blind: set[str]

    def base(self, change: ChangeBody) -> Row[Any] | None:
        """What a change is made to: nothing of somebody else where that was not to be seen."""
        base = self.events.get((change.image_id, change.seen))
        return None if change.image_id in self.blind and is_a_persons(base) else base


def is_a_persons(event: Row[Any] | None) -> bool:
    """Whether an event is what a person says.

    To who has still to label an image it is never their own word: that would have done their assignment. Who has
    undone theirs is named by the event that says again what others had said.
    """
    return event is not None and event.origin == "person"


def read_past(
    connection: Connection, dataset: str, changes: Sequence[ChangeBody], ids: Sequence[str], who: str
) -> Past:
    """Read what changes are about.

    Args:
        connection: of store.events.writing.
        dataset: the data set.
        changes: a thousand at most.
        ids: of the images among theirs that the data set has.
        who: makes the changes.
    """
    heads = {row.image_id: row for row in newest_of(connection, dataset, ids, COLUMNS)}
    known = {(row.image_id, row.version): row for row in heads.values()}
    bases = [(one.image_id, version) for one in changes for version in (one.seen, one.restore) if version]
    earlier = [(image, version) for image, version in bases if image in heads and version < heads[image].version]
    events = known | {
        (row.image_id, row.version): row for row in versions_of(connection, dataset, earlier, COLUMNS)
    }
    gone = select(forgotten_images.c.image_id).where(forgotten_images.c.image_id.in_(ids))
    present = set(ids) - set(connection.scalars(gone))
    return Past(present, heads, events, blind_to(connection, dataset, who, ids))
