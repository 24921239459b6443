import threading
import time
from collections.abc import Iterator

import pytest

from cv_pipelines.images.sources.ahead import map_ahead


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_results_come_in_the_order_of_the_values(threads: int) -> None:
    def work(value: int) -> int:
        time.sleep(0.002 if value % 3 else 0)
        return -value

    assert list(map_ahead(work, range(50), threads)) == [-value for value in range(50)]


def test_as_many_work_at_once_as_there_are_threads() -> None:
    together = threading.Barrier(4, timeout=10)

    assert list(map_ahead(lambda _: together.wait() >= 0, range(8), 4)) == [True] * 8


def test_values_are_taken_only_a_little_ahead() -> None:
    taken: list[int] = []

    def values() -> Iterator[int]:
        for value in range(1000):
            taken.append(value)
            yield value

    results = map_ahead(lambda value: value, values(), 4)
    next(results)

    assert len(taken) == 8


def test_an_error_comes_where_its_result_would() -> None:
    def work(value: int) -> int:
        return 1 // value

    results = map_ahead(work, [1, 0, 1], 3)

    assert next(results) == 1
    with pytest.raises(ZeroDivisionError):
        next(results)
