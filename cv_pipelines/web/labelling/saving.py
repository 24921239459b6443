"""Changes from pages into the label store, all of a request in one transaction."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Engine, Row, select

from cv_pipelines.annotations.annotation import Annotation, Box
from cv_pipelines.annotations.store.classes import StoredClass, classes_of
from cv_pipelines.annotations.store.content import annotation_of, content_of
from cv_pipelines.annotations.store.events import (
    Author,
    Change,
    append,
    newest_of,
    undone_note,
    versions_of,
    writing,
)
from cv_pipelines.database.tables import forgotten_images
from cv_pipelines.web.labelling.changes import AnnotationBody, ChangeBody

_COLUMNS = ("image_id", "version", "content", "origin", "who", "model", "note", "adjudicates")
_Events = Mapping[tuple[str, int], Row[Any]]


@dataclass
class Saved:
    """What came of changes.

    Attributes:
        images: whose labels are what was asked for.
        refused: the others, and why: `conflict`: somebody was quicker; `no_class`: a class is not there, or is
            retired; `no_version`: there is none to go back to; `missing_image`: the data set has no such image any
            more.
    """

    images: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)


def save_changes(
    database: Engine, dataset: str, who: str, changes: Sequence[ChangeBody], present: Collection[str]
) -> Saved:
    """Make changes; those that may not be made are refused, the others are made.

    What one has just said already counts as saved: an answer may have been lost on its way.

    Args:
        database: where the events are.
        dataset: the data set.
        who: says so.
        changes: each of another image, a thousand at most.
        present: ids of the images that the data set has.
    """
    saved = Saved()
    with writing(database, dataset) as connection:
        ids = [one.image_id for one in changes if one.image_id in present]
        heads = {row.image_id: row for row in newest_of(connection, dataset, ids, _COLUMNS)}
        there = set(ids) - _forgotten(connection, ids)
        earlier = _earlier(connection, dataset, changes, heads)
        wording = Wording(classes_of(connection, dataset))
        made: list[tuple[Author, Change]] = []
        for change in changes:
            head = heads.get(change.image_id)
            said = _said(change, earlier, wording, who) if change.image_id in there else "missing_image"
            if isinstance(said, str):
                saved.refused[change.image_id] = said
            elif change.seen == (head.version if head else 0):
                made.append(said)
                saved.images.append(change.image_id)
            elif head is not None and _is_repeated(said, head, change.seen):
                saved.images.append(change.image_id)
            else:
                saved.refused[change.image_id] = "conflict"
        for author, some in groupby(sorted(made, key=_author), key=lambda one: one[0]):
            append(connection, dataset, [change for _, change in some], author)
    return saved


class Wording:
    """Contents of events from what pages send, whose classes have to be there."""

    def __init__(self, classes: Sequence[StoredClass]) -> None:
        self._words = {one.number: str(one.number) for one in classes}  # which pass through as names
        self._active = {one.number for one in classes if one.state == "active"}
        self._retired = {str(one.number) for one in classes if one.state == "retired"}

    def with_classes(self, content: str | None, numbers: Sequence[int]) -> str | None:
        """A label with other classes of the image as a whole; None: one of them may not be used."""
        before = self._read(content)
        if not self._may_use(numbers, before):
            return None
        return content_of(replace(before, classes=_distinct(numbers)), int)

    def annotated(self, content: str | None, body: AnnotationBody) -> str | None:
        """A whole label; boxes of retired classes, which no page shows, stay. None: a class may not be used."""
        before = self._read(content)
        if not self._may_use([*body.classes, *(box.number for box in body.boxes)], before):
            return None
        boxes = [
            Box(str(one.number), one.left, one.top, one.width, one.height, one.rings, one.attributes)
            for one in body.boxes
        ]
        hidden = [box for box in before.boxes if box.label in self._retired]
        now = replace(before, classes=_distinct(body.classes), boxes=(*boxes, *hidden))
        return content_of(now, int)

    def _read(self, content: str | None) -> Annotation:
        return annotation_of(content, self._words, "") if content is not None else Annotation("")

    def _may_use(self, numbers: Sequence[int], before: Annotation) -> bool:
        """Classes that are active, and those that the label has already: a source may use unknown ones."""
        bears = {*before.classes, *(box.label for box in before.boxes)} - self._retired
        return all(number in self._active or str(number) in bears for number in numbers)


def _said(change: ChangeBody, earlier: _Events, wording: Wording, who: str) -> tuple[Author, Change] | str:
    """The change of the store that a change of a page means, or why it cannot be made."""
    seen = change.seen
    if change.restore is not None:
        back = earlier.get((change.image_id, change.restore))
        if change.restore > seen or (back is None and change.restore):
            return "no_version"
        content = back.content if back else None
        author = Author(who, back.origin, back.model) if back and content is not None else Author(who)
        return author, Change(change.image_id, content, seen, undoes=change.restore)
    base = earlier.get((change.image_id, seen))
    content = base.content if base else None
    if change.delete:
        content = None
    else:
        if change.classes is not None:
            content = wording.with_classes(content, change.classes)
        elif change.annotation is not None:
            content = wording.annotated(content, change.annotation)
        if content is None:
            return "no_class"
    return Author(who), Change(change.image_id, content, seen, change.adjudicates)


def _is_repeated(said: tuple[Author, Change], head: Row[Any], seen: int) -> bool:
    """Whether what stands is just this, said by the same person on the same version."""
    author, change = said
    note = "" if change.undoes is None else undone_note(change.undoes)
    same = (author.who, author.origin, note, change.content, change.adjudicates)
    return head.version == seen + 1 and (head.who, head.origin, head.note, head.content, head.adjudicates) == same


def _earlier(
    connection: Connection, dataset: str, changes: Sequence[ChangeBody], heads: Mapping[str, Row[Any]]
) -> _Events:
    """The events that changes are based on, or go back to, by image and version."""
    known = {(row.image_id, row.version): row for row in heads.values()}
    bases = [(one.image_id, version) for one in changes for version in (one.seen, one.restore) if version]
    wanted = [(image, version) for image, version in bases if _is_past(heads.get(image), version)]
    rows = versions_of(connection, dataset, wanted, _COLUMNS)
    return known | {(row.image_id, row.version): row for row in rows}


def _is_past(head: Row[Any] | None, version: int) -> bool:
    return head is not None and version < head.version


def _forgotten(connection: Connection, images: Sequence[str]) -> set[str]:
    """Images that must never come back: nothing is said of them any more."""
    gone = select(forgotten_images.c.image_id).where(forgotten_images.c.image_id.in_(images))
    return set(connection.scalars(gone))


def _author(made: tuple[Author, Change]) -> tuple[str, str]:
    author, _ = made
    return author.origin, author.model


def _distinct(numbers: Sequence[int]) -> tuple[str, ...]:
    return tuple(map(str, dict.fromkeys(numbers)))
