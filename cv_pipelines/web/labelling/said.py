"""What can be said of an image, each thing once under a number: a million images say few different things."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cv_pipelines.annotations.store.classes import StoredClass
from cv_pipelines.annotations.store.content import classes_in

NOTHING = 0
"""The number of an image without a label."""
_KEPT_TEXTS = 20_000
_LONG_TEXT = 200


@dataclass(frozen=True, slots=True)
class Said:
    """The classes of an image as a whole, and how many boxes it has of which class, by numbers of classes."""

    classes: tuple[int, ...] = ()
    boxes: tuple[tuple[int, int], ...] = ()

    @property
    def bears(self) -> tuple[int, ...]:
        """All its classes, each once, those of the image as a whole first."""
        return tuple(dict.fromkeys([*self.classes, *(number for number, _ in self.boxes)]))


def said_in(content: str) -> Said:
    """What the content of an event says, in short."""
    of_image, of_boxes = classes_in(content)
    return Said(tuple(dict.fromkeys(of_image)), tuple(Counter(of_boxes).items()))


def alive_in(said: Said, classes: Mapping[int, StoredClass]) -> tuple[tuple[StoredClass, ...], int] | None:
    """Classes, none that is retired, and the number of boxes of such; None: there is nothing but retired ones."""
    alive = {number for number in said.bears if number in classes and classes[number].state != "retired"}
    if said.bears and not alive:
        return None
    boxes = sum(count for number, count in said.boxes if number in alive)
    return tuple(classes[number] for number in said.bears if number in alive), boxes


@dataclass
class Vocabulary:
    """Numbers for what is said, and which of it counts: what consists of retired classes alone does not."""

    classes: Mapping[int, StoredClass] = field(default_factory=dict)
    _said: list[Said | None] = field(default_factory=lambda: [None])
    _codes: dict[Said, int] = field(default_factory=dict)
    _texts: dict[str, int] = field(default_factory=dict)
    _counts: list[bool] = field(default_factory=lambda: [False])
    _bearing: dict[int, list[int]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self._said)

    def code_of(self, content: str | None) -> int:
        """The number of what the content of an event says; NOTHING where there is none."""
        if content is None:
            return NOTHING
        code = self._texts.get(content)
        if code is None:
            code = self._code(said_in(content))
            if len(content) <= _LONG_TEXT:
                if len(self._texts) >= _KEPT_TEXTS:
                    self._texts.clear()
                self._texts[content] = code
        return code

    def said(self, code: int) -> Said | None:
        """What a number stands for."""
        return self._said[code]

    def alive(self, code: int) -> tuple[tuple[StoredClass, ...], int] | None:
        """Classes and the number of boxes of what counts, None where nothing does."""
        said = self._said[code]
        return alive_in(said, self.classes) if said is not None else None

    def counts(self, code: int) -> bool:
        """Whether an image of which this is said is labelled."""
        return self._counts[code]

    def counting(self) -> NDArray[np.bool_]:
        """Whether it is, by number."""
        return np.array(self._counts)

    def bearing(self, number: int) -> NDArray[np.bool_]:
        """Whether what is said has a class, by number."""
        table = np.zeros(len(self), bool)
        table[self._bearing.get(number, [])] = True
        return table

    def change_classes(self, classes: Iterable[StoredClass]) -> None:
        """Take notice of what the classes are now."""
        self.classes = {one.number: one for one in classes}
        self._counts = [one is not None and self._does_count(one) for one in self._said]

    def _code(self, said: Said) -> int:
        code = self._codes.get(said)
        if code is None:
            code = self._codes[said] = len(self._said)
            self._said.append(said)
            self._counts.append(self._does_count(said))
            for number in said.bears:
                self._bearing.setdefault(number, []).append(code)
        return code

    def _does_count(self, said: Said) -> bool:
        return alive_in(said, self.classes) is not None
