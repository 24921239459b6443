import threading
import time

import pytest

from cv_pipelines.execution import last_words
from cv_pipelines.execution.engine import EngineUnreachableError
from cv_pipelines.execution.last_words import LINES, LastWords
from tests.installation import wait_for


class Library:
    """An engine of which only logs are asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int]] = []
        self.answer = threading.Event()

    def last_lines(self, name: str, lines: int) -> str:
        self.asked.append((name, lines))
        self.answer.wait(30)
        if name == "away":
            raise EngineUnreachableError("engine", "Docker does not answer.")
        return f"{name} says goodbye"


def test_whoever_asks_waits_for_nobody_and_reads_it_later() -> None:
    library = Library()
    words = LastWords(library)  # type: ignore[arg-type]
    began = time.monotonic()
    words.ask("one")
    words.ask("one")

    assert time.monotonic() - began < 10
    assert (words.are_awaited("one"), words.of("one")) == (True, "")
    library.answer.set()
    wait_for(lambda: not words.are_awaited("one"))
    assert words.of("one") == "one says goodbye"
    assert library.asked == [("one", LINES)]
    assert (words.are_awaited("nobody"), words.of("nobody")) == (False, "")


def test_a_node_that_does_not_answer_is_awaited_for_a_while_and_one_that_cannot_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(last_words, "_SECONDS", 0.2)
    library = Library()
    words = LastWords(library)  # type: ignore[arg-type]

    words.ask("away")
    time.sleep(0.3)
    assert (words.are_awaited("away"), words.of("away")) == (False, "")
    library.answer.set()
    wait_for(lambda: words.of("away"))
    assert "Docker does not answer" in words.of("away")
