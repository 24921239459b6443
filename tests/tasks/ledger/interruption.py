"""A process that dies in the middle of a transaction."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event


class Died(BaseException):
    """The process is gone; no `except Exception` brings it back."""


@contextmanager
def dying(database: Engine, statements: int) -> Iterator[None]:
    """Let whoever works on a database die before its next statement but so many; COMMIT counts."""
    left = statements

    def count(*_: Any) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise Died

    for name in ("before_cursor_execute", "commit"):
        event.listen(database, name, count)
    try:
        yield
    finally:
        for name in ("before_cursor_execute", "commit"):
            event.remove(database, name, count)
