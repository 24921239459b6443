"""Looking at things that may be slow, or may never answer, all at once."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from cv_pipelines.errors import CvError

T = TypeVar("T")
SECONDS = 5.0
"""After which a thing is taken not to answer."""


@dataclass(frozen=True)
class Measured(Generic[T]):
    """What a look has given.

    Attributes:
        value: what was seen; None where nothing was.
        problem: why nothing was, in words.
        seconds: how long it took.
    """

    value: T | None
    problem: str = ""
    seconds: float = 0.0


class Probe(Generic[T]):
    """A look that goes on in a thread of its own, from now on; one that hangs holds up nobody."""

    def __init__(self, look: Callable[[], T], seconds: float = SECONDS) -> None:
        """Begin.

        Args:
            look: what to do; what it raises is its problem.
            seconds: after which it is given up.
        """
        self._look, self._seconds = look, seconds
        self._began = time.monotonic()
        self._measured: Measured[T] | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)  # a program can end beside it
        self._thread.start()

    def result(self) -> Measured[T]:
        """Wait for the end, or for the time to be over."""
        self._thread.join(max(0.0, self._began + self._seconds - time.monotonic()))
        return self._measured or Measured(None, f"nothing came back within {self._seconds:g} s", self._seconds)

    def _run(self) -> None:
        try:
            self._measured = Measured(self._look(), seconds=time.monotonic() - self._began)
        except CvError as error:
            self._measured = Measured(None, error.user_message, time.monotonic() - self._began)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what was found
            words = str(error).strip().splitlines()
            problem = words[0] if words else type(error).__name__
            self._measured = Measured(None, problem, time.monotonic() - self._began)
