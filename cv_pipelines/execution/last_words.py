"""The last lines of containers that died without their guard's word, fetched where nobody waits for them."""

import threading
import time
from dataclasses import dataclass, field

from cv_pipelines.errors import CvError
from cv_pipelines.execution.engine import Engine

LINES = 50
_MOST_BYTES = 20_000
_SECONDS = 5.0
"""For so long the end of a step may wait to be told with its last lines; a node that is cut off takes longer."""


@dataclass
class _Asked:
    since: float = field(default_factory=time.monotonic)
    words: str | None = None


class LastWords:
    """What containers have written last; to ask costs the asker no time."""

    def __init__(self, engine: Engine) -> None:
        """Nothing is asked yet."""
        self._engine = engine
        self._asked: dict[str, _Asked] = {}

    def ask(self, name: str) -> None:
        """Begin to fetch the last lines of a service, once."""
        if name not in self._asked:
            asked = self._asked[name] = _Asked()
            threading.Thread(target=self._fetch, args=(name, asked), name="last words", daemon=True).start()

    def are_awaited(self, name: str) -> bool:
        """Whether they may still come within the time that is given to them."""
        asked = self._asked.get(name)
        return asked is not None and asked.words is None and time.monotonic() - asked.since < _SECONDS

    def of(self, name: str) -> str:
        """The lines, or as much as is known of them."""
        asked = self._asked.get(name)
        return (asked.words or "") if asked is not None else ""

    def _fetch(self, name: str, asked: _Asked) -> None:
        words = ""
        try:
            words = self._engine.last_lines(name, LINES)[-_MOST_BYTES:]
        except CvError as error:
            words = f"(not to be had: {error.user_message})"
        finally:
            asked.words = words
