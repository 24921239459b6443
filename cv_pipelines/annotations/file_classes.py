"""The classes of a file beside those of the data set that it is imported into."""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Connection

from cv_pipelines.annotations.annotation import NONE, Attributes
from cv_pipelines.annotations.label_set import LabelSet, colour_of
from cv_pipelines.annotations.store.classes import State, StoredClass, ensure_classes
from cv_pipelines.errors import InputError


class FileClasses(dict[str, int]):
    """The classes that are used, with their numbers: those that the store has, or is going to give them.

    A name that is asked for is used; so nothing is done twice for a million boxes.

    Attributes:
        added: classes that are new to the data set, in their order.
    """

    def __init__(self, present: Sequence[StoredClass], numbers: Mapping[str, int], fixed: Sequence[str]) -> None:
        """Begin with what is known.

        Args:
            present: the classes of the data set.
            numbers: theirs, by all names that they have had.
            fixed: the classes that somebody has fixed for it; empty: any.
        """
        self.added: list[str] = []
        self._states = {one.number: one.state for one in present}
        self._numbers, self._fixed = dict(numbers), fixed
        self._next = len(present)
        self.declare(fixed)
        self.added.clear()

    def __missing__(self, name: str) -> int:
        self.declare([name])
        number = self[name] = self._numbers[name]
        return number

    def declare(self, names: Iterable[str]) -> None:
        """Give numbers to those that have none yet, used or not."""
        for name in names:
            if name not in self._numbers:
                self._numbers[name], self._next = self._next, self._next + 1
                self.added.append(name)

    @property
    def unknown(self) -> list[str]:
        """Those that are used, or new, though the classes of the data set are fixed and others."""
        known = [name for name, number in self.items() if self._states.get(number) == "unknown"]
        return known + (self.added if self._fixed else [])

    @property
    def retired(self) -> list[str]:
        """Those that are used and count for nothing."""
        return [name for name, number in self.items() if self._states.get(number) == "retired"]

    def ensure(self, connection: Connection, dataset: str, declared: LabelSet, who: str) -> None:
        """Add what is new, with the colours and attributes that the file declares.

        Raises:
            InputError: `classes_changed`: they have other numbers by now.
        """
        wishes = {one.name: (one.colour, one.attributes) for one in declared}
        for number, one in enumerate(declared):
            if one.colour == colour_of(number):  # nobody has chosen it
                wishes[one.name] = ("", one.attributes)
        states: dict[State, Sequence[str]] = {"active": self._fixed, "unknown": self.added}
        if not self._fixed:
            states = {"active": self.added}
        given: dict[str, int] = {}
        for state, names in states.items():
            wanted = [(name, *_printable(*wishes.get(name, ("", NONE)))) for name in names]
            given = ensure_classes(connection, dataset, wanted, who, state)
        if any(given.get(name) != number for name, number in self._numbers.items()):
            message = f"Somebody has changed the classes of '{dataset}' meanwhile: import the file again."
            raise InputError("classes_changed", message)


def _printable(colour: str, attributes: Attributes) -> tuple[str, Attributes]:
    """Attributes without texts that a database might not hold."""
    kept = {name: value for name, value in attributes.items() if str(value).isprintable()}
    return colour, kept or NONE
