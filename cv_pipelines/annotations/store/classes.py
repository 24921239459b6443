"""The classes of a data set: a rename keeps what is labelled, for labels name classes by their numbers."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from sqlalchemy import Connection, func, insert, select

from cv_pipelines.annotations.annotation import NONE, Attributes
from cv_pipelines.annotations.label_set import colour_of
from cv_pipelines.database.label_tables import label_class_events
from cv_pipelines.errors import InputError

State = Literal["active", "retired", "unknown"]
_COLOUR = re.compile(r"#[0-9a-f]{6}")
_LONGEST = 200


@dataclass(frozen=True)
class StoredClass:
    """A class of a data set.

    Attributes:
        number: what labels name it by; from 0, never given twice.
        name: what people call it, at present.
        colour: `#rrggbb`.
        state: `active`; `retired`, whose labels count for nothing; or `unknown`: a source or file uses it though
            the classes of the data set are fixed.
        attributes: what a format says of it beyond that.
    """

    number: int
    name: str
    colour: str
    state: State = "active"
    attributes: Attributes = field(default_factory=lambda: NONE)


def classes_of(connection: Connection, dataset: str, until: int | None = None) -> list[StoredClass]:
    """All classes by number, those that are retired too; as they were at an event, perhaps."""
    events = label_class_events
    wanted = [events.c.dataset == dataset] + ([events.c.id <= until] if until is not None else [])
    last = select(func.max(events.c.id)).where(*wanted).group_by(events.c.number)
    rows = connection.execute(select(events).where(events.c.id.in_(last)).order_by(events.c.number))
    return [StoredClass(row.number, row.name, row.colour, row.state, row.attributes) for row in rows]


def numbers_by_name(connection: Connection, dataset: str) -> dict[str, int]:
    """Numbers of classes by all names that they have had; where several had one, by whose it is, or was last."""
    events = label_class_events
    query = select(events.c.name, events.c.number).where(events.c.dataset == dataset).order_by(events.c.id)
    earlier = {row.name: row.number for row in connection.execute(query)}
    return earlier | {one.name: one.number for one in classes_of(connection, dataset)}


def present_names(connection: Connection, dataset: str) -> dict[str, str]:
    """What classes are called now, by all names that they have had: files go on using old ones; none retired."""
    called = {one.number: one.name for one in classes_of(connection, dataset) if one.state != "retired"}
    numbers = numbers_by_name(connection, dataset)
    return {name: called[number] for name, number in numbers.items() if number in called}


def have_retired(connection: Connection, datasets: Sequence[str]) -> set[str]:
    """Which of some hundred data sets have had a retired class at any time."""
    events = label_class_events.c
    query = select(events.dataset).where(events.dataset.in_(datasets), events.state == "retired").distinct()
    return set(connection.scalars(query))


def last_class_event(connection: Connection, dataset: str) -> int:
    """The id of the newest event, 0 before the first."""
    newest = select(func.max(label_class_events.c.id)).where(label_class_events.c.dataset == dataset)
    return connection.execute(newest).scalar() or 0


def ensure_classes(
    connection: Connection,
    dataset: str,
    wanted: Iterable[tuple[str, str, Attributes]],
    who: str,
    state: State = "active",
) -> dict[str, int]:
    """Numbers of classes; those that are not there are added. One that is retired stays so.

    A class is found by a name that it had before, too, unless another one has taken it: sources and files go on
    using the old one.

    Args:
        connection: of store.events.writing.
        dataset: the data set.
        wanted: name, colour (one that is none, such as "", is chosen), and attributes of each.
        who: wants them.
        state: of those that are added.
    """
    numbers, number = numbers_by_name(connection, dataset), len(classes_of(connection, dataset))
    for name, colour, attributes in wanted:
        if name not in numbers:
            chosen = colour.lower() if _COLOUR.fullmatch(colour.lower()) else colour_of(number)
            made = StoredClass(number, name, chosen, state, attributes)
            _put(connection, dataset, made, who)
            numbers[name], number = number, number + 1
    return numbers


def add_class(connection: Connection, dataset: str, name: str, who: str, colour: str = "") -> StoredClass:
    """Add a class, or bring back one that was retired or not known.

    Raises:
        InputError: `class_exists`, `class_name` or `colour`.
    """
    _require_name(name)
    present = classes_of(connection, dataset)
    same = next((one for one in present if one.name == name), None)
    if same is not None and same.state == "active":
        raise InputError("class_exists", f"'{dataset}' has the class '{name}' already.")
    number = same.number if same else len(present)
    chosen = _require_colour(colour) if colour else (same.colour if same else colour_of(number))
    made = StoredClass(number, name, chosen, attributes=same.attributes if same else NONE)
    _put(connection, dataset, made, who)
    return made


def rename_class(connection: Connection, dataset: str, name: str, new: str, who: str) -> None:
    """Give a class another name.

    Raises:
        InputError: `no_class`, `class_name`, or `class_exists`.
    """
    _require_name(new)
    found = find_class(connection, dataset, name)
    present = {one.name: one for one in classes_of(connection, dataset)}
    if new in present:
        which = "a class" if present[new].state == "active" else "a class that was retired or is not known,"
        raise InputError("class_exists", f"'{dataset}' has {which} '{new}' already; take another name.")
    _put(connection, dataset, replace(found, name=new), who)


def recolour_class(connection: Connection, dataset: str, name: str, colour: str, who: str) -> None:
    """Give a class another colour.

    Raises:
        InputError: `no_class` or `colour`.
    """
    _put(connection, dataset, replace(find_class(connection, dataset, name), colour=_require_colour(colour)), who)


def retire_class(connection: Connection, dataset: str, name: str, who: str) -> None:
    """Let a class, and all labels that name it, count for nothing; `add_class` brings both back.

    Raises:
        InputError: `no_class`.
    """
    _put(connection, dataset, replace(find_class(connection, dataset, name), state="retired"), who)


def restore_classes(connection: Connection, dataset: str, until: int, who: str) -> int:
    """Give classes their names, colours and states of an event back; later ones are retired. Returns how many."""
    then = {one.number: one for one in classes_of(connection, dataset, until)}
    changed = 0
    for one in classes_of(connection, dataset):
        wanted = then.get(one.number, replace(one, state="retired"))
        if wanted != one:
            _put(connection, dataset, wanted, who)
            changed += 1
    return changed


def find_class(connection: Connection, dataset: str, name: str) -> StoredClass:
    """A class that counts.

    Raises:
        InputError: `no_class`: there is none of this name, or it is retired.
    """
    present = {one.name: one for one in classes_of(connection, dataset)}
    found = present.get(name)
    if found is None or found.state == "retired":
        known = ", ".join(f"'{one.name}'" for one in present.values() if one.state == "active") or "none yet"
        raise InputError("no_class", f"'{dataset}' has no class '{name}' (there are: {known}).")
    return found


def _require_name(name: str) -> None:
    if not name.strip() or len(name) > _LONGEST or not name.isprintable():
        message = f"{name[:50]!r} cannot be the name of a class: 1 to {_LONGEST} signs that can be printed."
        raise InputError("class_name", message)


def _require_colour(colour: str) -> str:
    if not _COLOUR.fullmatch(colour.lower()):
        raise InputError("colour", f"'{colour}' is no colour: write one as '#1f77b4'.")
    return colour.lower()


def _put(connection: Connection, dataset: str, one: StoredClass, who: str) -> None:
    values = {"number": one.number, "name": one.name, "colour": one.colour, "state": one.state}
    row = {"dataset": dataset, **values, "attributes": dict(one.attributes), "who": who}
    connection.execute(insert(label_class_events).values(row))
