"""What went wrong and what was lost while labels were read or written: bounded, whatever the file."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

KEPT = 1000
"""So many problems are kept word for word; all are counted."""
_KINDS = 200


class ItemError(Exception):
    """One item of a file is bad; its neighbours are not."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in a file that is wrong.

    Attributes:
        code: a short stable name.
        where: file and line, or key.
        message: what is wrong there.
    """

    code: str
    where: str
    message: str

    def __str__(self) -> str:
        return f"{self.where}: {self.message}"


@dataclass
class Report:
    """Collects; whoever reads or writes decides what to do about it.

    Attributes:
        problems: the first ones: what they are about has been left out.
        counts: of all problems, by code.
        losses: what a format cannot hold, and how often that came up.
        examples: where each loss came up first.
        images: annotations that passed, `boxes` with so many boxes.
    """

    problems: list[Problem] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    losses: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)
    images: int = 0
    boxes: int = 0

    def problem(self, code: str, where: str, message: str) -> None:
        """Note something wrong."""
        self.counts[code] += 1
        if len(self.problems) < KEPT:
            self.problems.append(Problem(code, _short(where), _short(message)))

    def loss(self, what: str, where: str, times: int = 1) -> None:
        """Note something that a format cannot hold; `what` is one of few phrases, not the item."""
        what = _short(what) if what in self.losses or len(self.losses) < _KINDS else "further losses"
        self.losses[what] += times
        self.examples.setdefault(what, _short(where))

    @contextmanager
    def item(self, where: str) -> Iterator[None]:
        """Note the ItemError of one item, and go on after it."""
        try:
            yield
        except ItemError as error:
            self.problem(error.code, where, error.message)


def _short(text: str) -> str:
    """A message of bounded length: names in files can be megabytes."""
    return text if len(text) <= 300 else f"{text[:297]}…"
