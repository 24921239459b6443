"""The classes of a data set, in an order that numbers follow, each with a colour."""

import colorsys
from collections.abc import Iterator
from dataclasses import dataclass, field

from cv_pipelines.annotations.annotation import NONE, Attributes

_GOLDEN = 0.618033988749895


@dataclass(frozen=True, slots=True)
class LabelClass:
    """A class.

    Attributes:
        name: unique in its set.
        colour: `#rrggbb`.
        attributes: what a format says of it beyond that: `id`, `supercategory`, `title` …
    """

    name: str
    colour: str
    attributes: Attributes = field(default_factory=lambda: NONE)


@dataclass(frozen=True, slots=True)
class LabelSet:
    """Classes in their order; the number of a class is its place.

    Raises:
        ValueError: a name occurs twice.
    """

    classes: tuple[LabelClass, ...] = ()

    def __post_init__(self) -> None:
        if len(set(self.names)) != len(self.classes):
            raise ValueError("a class occurs twice in a label set")

    def __iter__(self) -> Iterator[LabelClass]:
        return iter(self.classes)

    def __len__(self) -> int:
        return len(self.classes)

    @property
    def names(self) -> tuple[str, ...]:
        """The names, in order."""
        return tuple(one.name for one in self.classes)


@dataclass
class ClassList:
    """A label set that grows: the classes that a file declares, then those that it uses without having done so."""

    _classes: dict[str, LabelClass] = field(default_factory=dict)
    _numbers: dict[str, int] = field(default_factory=dict)

    def number(self, name: str) -> int:
        """The number of a class, from 0; a new one is added."""
        if name not in self._numbers:
            self.declare(name)
        return self._numbers[name]

    def declare(self, name: str, colour: str = "", attributes: Attributes = NONE) -> bool:
        """Add a class; False where there is one of this name, which stands."""
        if name in self._classes:
            return False
        number = len(self._classes)
        self._classes[name] = LabelClass(name, colour or colour_of(number), attributes)
        self._numbers[name] = number
        return True

    def frozen(self) -> LabelSet:
        """The classes so far."""
        return LabelSet(tuple(self._classes.values()))


def colour_of(number: int) -> str:
    """A colour for the class of a number: neighbours differ clearly (hues by the golden ratio)."""
    hue, value = number * _GOLDEN % 1, 0.95 - 0.25 * (number // 8 % 2)
    red, green, blue = (round(255 * part) for part in colorsys.hsv_to_rgb(hue, 0.75, value))
    return f"#{red:02x}{green:02x}{blue:02x}"
