"""Changes from pages into the label store, all of a request in one transaction."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Literal

from sqlalchemy import Engine, Row

from cv_pipelines.annotations.store.assignments import blind_to
from cv_pipelines.annotations.store.classes import classes_of
from cv_pipelines.annotations.store.events import Author, Change, append, newest_of, undone_note, writing
from cv_pipelines.web.labelling.changes import ChangeBody
from cv_pipelines.web.labelling.label_index import Label, as_seen_blind, label_of
from cv_pipelines.web.labelling.past import COLUMNS, Past, read_past
from cv_pipelines.web.labelling.wording import Wording

_Refused = Literal["conflict", "no_class", "no_version", "missing_image"]
_Outcome = tuple[Author, Change] | Literal["repeated"] | _Refused


@dataclass(frozen=True)
class Refusal:
    """Why a change was not made, and what stands.

    Attributes:
        code: `conflict`: somebody was quicker; `no_class`: a class is not there, or is retired; `no_version`:
            there is none to go back to; `missing_image`: the data set has no such image any more.
        label: that stands, as who asks may see it.
        who: has said it, or has taken the label away.
    """

    code: _Refused
    label: Label
    who: str


@dataclass
class Saved:
    """What came of changes, by the ids of the images: their labels, or why these are not what was asked for."""

    labels: dict[str, Label] = field(default_factory=dict)
    refused: dict[str, Refusal] = field(default_factory=dict)


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
        past = read_past(connection, dataset, changes, ids, who)
        classes = {one.number: one for one in classes_of(connection, dataset)}
        wording = Wording(classes.values())
        made: list[tuple[Author, Change]] = []
        for change in changes:
            outcome = _decide(change, past, wording, who)
            head = past.heads.get(change.image_id)
            stands, said_by = label_of(head, classes), head.who if head else ""
            if change.image_id in past.blind:
                stands = as_seen_blind(stands)
            if isinstance(outcome, tuple):
                made.append(outcome)
            elif outcome == "repeated":
                saved.labels[change.image_id] = stands
            else:
                saved.refused[change.image_id] = Refusal(outcome, stands, said_by)
        for author, some in groupby(sorted(made, key=_author), key=lambda one: one[0]):
            append(connection, dataset, [change for _, change in some], author, known=past.heads)
        said = [change.image_id for _, change in made]
        undone = [change.image_id for _, change in made if change.undoes is not None]
        blind = blind_to(connection, dataset, who, undone)
        for row in newest_of(connection, dataset, said, COLUMNS):
            stands = label_of(row, classes)
            saved.labels[row.image_id] = as_seen_blind(stands) if row.image_id in blind else stands
        for image_id in said:  # nothing was ever said of it, and nothing was to be
            saved.labels.setdefault(image_id, Label())
    return saved


def _decide(change: ChangeBody, past: Past, wording: Wording, who: str) -> _Outcome:
    """What is to be done: a change of the store, nothing for it was done before, or why it cannot be."""
    if change.image_id not in past.present:
        return "missing_image"
    head = past.heads.get(change.image_id)
    version = head.version if head else 0
    if change.seen == version:
        return _meant(change, past.base(change), past, wording, who)
    if head is not None and version == change.seen + 1 and head.who == who:
        bases = (past.events.get((change.image_id, change.seen)), None)  # it may have been assigned then, see Past
        meant = (_meant(change, base, past, wording, who) for base in bases)
        if any(isinstance(one, tuple) and _is_what_stands(*one, head) for one in meant):
            return "repeated"
    return "conflict"


def _meant(
    change: ChangeBody, base: Row[Any] | None, past: Past, wording: Wording, who: str
) -> tuple[Author, Change] | Literal["no_class", "no_version"]:
    """The change of the store that a change of a page means, on top of what it is based on."""
    if change.restore is not None:
        back = past.events.get((change.image_id, change.restore))
        if change.restore > change.seen or (back is None and change.restore):
            return "no_version"
        if back is None or back.content is None:
            return Author(who), Change(change.image_id, None, change.seen, undoes=change.restore)
        author = Author(who, back.origin, back.model)
        return author, Change(change.image_id, back.content, change.seen, undoes=change.restore)
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
    return Author(who), Change(change.image_id, content, change.seen, change.adjudicates)


def _is_what_stands(author: Author, change: Change, head: Row[Any]) -> bool:
    note = "" if change.undoes is None else undone_note(change.undoes)
    same = (author.who, author.origin, note, change.content, change.adjudicates)
    return (head.who, head.origin, head.note, head.content, head.adjudicates) == same


def _author(made: tuple[Author, Change]) -> tuple[str, str]:
    author, _ = made
    return author.origin, author.model
