"""How long work tells where it stands, without knowing who listens."""

from typing import Protocol


class Progress(Protocol):
    """Called often and cheaply; the listener decides how much of it to show."""

    def __call__(self, stage: str, done: int, total: int | None = None) -> None:
        """Report that `done` of `total` items (None: not known yet) of `stage` are finished."""


def silent(stage: str, done: int, total: int | None = None) -> None:
    """The listener of those who do not listen."""
