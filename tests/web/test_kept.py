"""What is kept: a few values, each made once, and nobody waits for another one."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from cv_pipelines.web.kept import Kept


def test_those_used_last_are_kept() -> None:
    kept, made = Kept[str, str](2), list[str]()

    def ask(*keys: str) -> None:
        for key in keys:
            assert kept.of(key, lambda key=key: made.append(key) or key) == key  # type: ignore[misc]

    ask("a", "b", "a", "c", "a", "b")

    assert made == ["a", "b", "c", "b"]


def test_who_wants_another_one_does_not_wait_while_one_is_made() -> None:
    kept, begun, may_end = Kept[str, str](), Event(), Event()

    def slow() -> str:
        begun.set()
        assert may_end.wait(60)
        return "slow"

    with ThreadPoolExecutor(3) as threads:
        first = threads.submit(kept.of, "large", slow)
        assert begun.wait(60)
        second = threads.submit(kept.of, "large", lambda: "made twice")
        third = threads.submit(kept.of, "small", lambda: "quick")
        try:
            assert third.result(10) == "quick"
        finally:
            may_end.set()
        assert [first.result(60), second.result(60)] == ["slow", "slow"]


def test_what_could_not_be_made_is_tried_again() -> None:
    kept = Kept[str, int]()
    with pytest.raises(ZeroDivisionError):
        kept.of("a", lambda: 1 // 0)

    assert kept.of("a", lambda: 1) == 1
