"""Labels set, taken away and settled by a person, image by image."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection

from cv_pipelines.annotations.annotation import Annotation
from cv_pipelines.annotations.opinions import Opinions
from cv_pipelines.annotations.people import require_person
from cv_pipelines.annotations.store.classes import classes_of, find_class
from cv_pipelines.annotations.store.content import annotation_of, content_of
from cv_pipelines.annotations.store.events import Author, Change, append, history, writing
from cv_pipelines.annotations.store.opinions import opinions_on, stated
from cv_pipelines.catalog import Catalog
from cv_pipelines.errors import InputError
from cv_pipelines.images.names import ImageNames


def set_classes(
    catalog: Catalog, dataset: str, image: str, classes: Sequence[str], who: str, seen: int | None = None
) -> bool:
    """Say which classes an image has as a whole; its boxes stay as they are.

    Args:
        catalog: where the events are.
        dataset: the data set.
        image: its path in the source, or the beginning of its id.
        classes: one or more of the data set's.
        who: says so.
        seen: the version of the image's label that this is based on, 0 where there was none; None: any.

    Returns:
        Whether this was new: a second person who says the same is.

    Raises:
        InputError: `no_image`, `no_class`, `conflict` or `who`.
    """
    image_id = ImageNames(catalog, dataset).find(image)
    with writing(catalog.database, dataset) as connection:
        events = history(connection, dataset, image_id)
        content = _with_classes(connection, dataset, events[0].content if events else None, classes)
        return _say(connection, dataset, image, Change(image_id, content, seen), who)


def delete_label(catalog: Catalog, dataset: str, image: str, who: str, seen: int | None = None) -> bool:
    """Take the label of an image away; arguments, result and errors as of `set_classes`."""
    image_id = ImageNames(catalog, dataset).find(image)
    with writing(catalog.database, dataset) as connection:
        return _say(connection, dataset, image, Change(image_id, None, seen), who)


def adjudicate(
    catalog: Catalog,
    dataset: str,
    image: str,
    verdict: str | Sequence[str],
    who: str,
    seen: int | None = None,
) -> Opinions:
    """Settle what people say of an image.

    Args:
        catalog: where the events are.
        dataset: the data set.
        image: its path in the source, or the beginning of its id.
        verdict: the person who is right, or the classes of the image as a whole.
        who: settles it.
        seen: the version of the image's label that this is based on; None: the newest one.

    Returns:
        What people had said before.

    Raises:
        InputError: `no_image`, `no_class`, `conflict` or `who`; `no_opinion`: the person has said nothing of the
            image; `has_boxes`: classes alone would lose the boxes that people have drawn.
    """
    image_id = ImageNames(catalog, dataset).find(image)
    with writing(catalog.database, dataset) as connection:
        return settle(connection, dataset, image_id, verdict, who, seen, image)


def settle(
    connection: Connection,
    dataset: str,
    image_id: str,
    verdict: str | Sequence[str],
    who: str,
    seen: int | None,
    image: str,
) -> Opinions:
    """As `adjudicate`, of an image that is known: `image` is what people call it; on a connection of `writing`."""
    opinions = opinions_on(connection, dataset, image_id)
    if isinstance(verdict, str):
        content = _word_of(connection, dataset, image, opinions, verdict)
    else:
        _require_no_boxes(image, opinions)
        content = _with_classes(connection, dataset, None, verdict)
    _say(connection, dataset, image, Change(image_id, content, seen, adjudicates=True), who)
    return opinions


def _say(connection: Connection, dataset: str, image: str, change: Change, who: str) -> bool:
    require_person(who)
    written = append(connection, dataset, [change], Author(who))
    for one in written.refused:
        stands = f"version {one.version} by {one.who}" if one.version else "no label yet"
        look = f"cv-pipelines labels history {dataset} {image}"
        message = f"'{image}' has changed: there is {stands}, not version {change.seen}. Look at it again: {look}"
        raise InputError("conflict", message)
    return written.events > 0


def _with_classes(connection: Connection, dataset: str, content: str | None, classes: Sequence[str]) -> str:
    """A label with other classes of the image as a whole."""
    for name in classes:
        if find_class(connection, dataset, name).state != "active":
            advice = f"add it first: cv-pipelines labels classes add {dataset} '{name}'"
            raise InputError("no_class", f"'{name}' is none of the classes of '{dataset}'; {advice}")
    every = classes_of(connection, dataset)
    names = {one.number: one.name for one in every}
    before = annotation_of(content, names, "") if content is not None else Annotation("")
    now = replace(before, classes=tuple(dict.fromkeys(classes)))
    return content_of(now, {one.name: one.number for one in every}.__getitem__)


def _word_of(connection: Connection, dataset: str, image: str, opinions: Opinions, person: str) -> str:
    """What somebody has said last, as it was said."""
    known = sorted(opinions.said.keys() | opinions.open.keys())
    if person not in known:
        who = ", ".join(f"'{one}'" for one in known) or "nobody yet"
        raise InputError("no_opinion", f"'{person}' says nothing of '{image}' (who does: {who}).")
    events = stated(history(connection, dataset, opinions.image)[::-1])
    theirs = (one.content for one in reversed(events) if one.who == person)
    return str(next(content for content in theirs if content is not None))


def _require_no_boxes(image: str, opinions: Opinions) -> None:
    drawn = sorted(who for who, said in opinions.open.items() if said.boxes)
    if drawn:
        message = f"{', '.join(drawn)} have drawn boxes on '{image}': classes alone would lose them."
        raise InputError("has_boxes", f"{message} Say who is right: --as {drawn[0]}")
