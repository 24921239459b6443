"""Labels at two moments, and what was said of one image, in words that people read."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection

from cv_pipelines.annotations.labels import state_in
from cv_pipelines.annotations.store.classes import StoredClass, classes_of, last_class_event
from cv_pipelines.annotations.store.content import classes_in
from cv_pipelines.annotations.store.events import history, writing
from cv_pipelines.annotations.store.history import Difference, class_differences, differences, restore
from cv_pipelines.annotations.store.versions import LabelState, last_event
from cv_pipelines.catalog import Catalog
from cv_pipelines.errors import InputError
from cv_pipelines.images.names import ImageNames
from cv_pipelines.versions import Version, version_like

LIST = "cv-pipelines labels versions"
KEPT = 1000
"""So many images are named; all are counted."""


@dataclass(frozen=True, slots=True)
class Relabelled:
    """An image that is labelled otherwise, and who has said so last."""

    image: str
    before: str
    after: str
    who: str


@dataclass(frozen=True)
class Comparison:
    """What differs between two moments.

    Attributes:
        before: the version.
        after: the version, or `now`.
        counts: of images: `labelled`, `unlabelled` and `relabelled`.
        classes: what each class that differs was, and is.
        images: the first KEPT ones of those that differ.
    """

    before: str
    after: str
    counts: Mapping[str, int]
    classes: list[tuple[str, str]]
    images: list[Relabelled]

    @property
    def total(self) -> int:
        """How many images differ."""
        return sum(self.counts.values())

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self) | {"counts": dict(self.counts)}


def compare(catalog: Catalog, dataset: str, before: str, after: str | None) -> Comparison:
    """Compare two versions, by the beginnings of their names; without the second: one with what stands now.

    Raises:
        InputError: `no_version`, or `old_version`.
    """
    first = version_like(catalog, "labels", dataset, before, LIST)
    second = version_like(catalog, "labels", dataset, after, LIST) if after else None
    names, counts = ImageNames(catalog, dataset), Counter(labelled=0, relabelled=0, unlabelled=0)
    images: list[Relabelled] = []
    with catalog.database.connect() as connection:
        old, new = _state(first), _state(second) if second else None
        events = (old.event, new.event if new else last_event(connection, dataset))
        of_classes = (old.class_event, new.class_event if new else last_class_event(connection, dataset))
        then, now = (_names(connection, dataset, until) for until in of_classes)
        for one in differences(connection, dataset, *events):
            counts[_kind(one)] += 1
            if len(images) < KEPT:
                words = (in_words(one.before, then), in_words(one.after, now))
                images.append(Relabelled(names.name_of(one.image_id), *words, one.who))
        pairs = class_differences(connection, dataset, *of_classes)
    return Comparison(
        first.version,
        second.version if second else "now",
        counts,
        [(_shown(a), _shown(b)) for a, b in pairs],
        images,
    )


def restore_version(catalog: Catalog, dataset: str, prefix: str, who: str) -> int:
    """Go back to a version, by new events; returns how many labels are other ones now.

    Raises:
        InputError: `no_version`, or `old_version`.
    """
    found = version_like(catalog, "labels", dataset, prefix, LIST)
    state = _state(found)
    with writing(catalog.database, dataset) as connection:
        note = f"back to {found.version}"
        return restore(connection, dataset, state.event, state.class_event, who, note).events


def history_of(catalog: Catalog, dataset: str, image: str) -> list[dict[str, Any]]:
    """All that was said of an image, newest first.

    Raises:
        InputError: `no_image`.
    """
    image_id = ImageNames(catalog, dataset).find(image)
    with catalog.database.connect() as connection:
        names, events = _names(connection, dataset), history(connection, dataset, image_id)
    return [
        {
            "version": one.version,
            "at": one.created_at,
            "label": in_words(one.content, names),
            "origin": "adjudication" if one.adjudicates else f"{one.origin} {one.model}".strip(),
            "who": one.who,
            "note": one.note,
        }
        for one in events
    ]


def in_words(content: str | None, names: Mapping[int, str]) -> str:
    """Classes and numbers of boxes; classes that are retired, too."""
    if content is None:
        return "no label"
    classes, boxes = classes_in(content)
    counts = Counter(names[number] for number in boxes)
    objects = [f"{count} × {name}" for name, count in counts.items()]
    return ", ".join([*(names[number] for number in classes), *objects]) or "nothing in it"


def _names(connection: Connection, dataset: str, until: int | None = None) -> dict[int, str]:
    return {one.number: one.name for one in classes_of(connection, dataset, until)}


def _kind(one: Difference) -> str:
    if one.before is None:
        return "labelled"
    return "unlabelled" if one.after is None else "relabelled"


def _shown(one: StoredClass | None) -> str:
    if one is None:
        return ""
    return f"{one.name} {one.colour}" + (f" ({one.state})" if one.state != "active" else "")


def _state(version: Version) -> LabelState:
    state = state_in(version.facts)
    if state is None:
        message = f"{version.version} was made before labels were events: it cannot be compared or gone back to."
        raise InputError("old_version", message)
    return state
