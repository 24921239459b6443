"""Waiting for many things at once."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Value = TypeVar("Value")
Result = TypeVar("Result")


def map_ahead(work: Callable[[Value], Result], values: Iterable[Value], threads: int) -> Iterator[Result]:
    """Like `map`, in the order of the values, with threads that are a little ahead of whoever takes the results.

    Args:
        work: may run at once in several threads.
        values: taken as they are needed, at most twice as many as threads ahead.
        threads: 1: no thread at all.
    """
    if threads == 1:
        yield from map(work, values)
        return
    queue: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        try:
            for value in values:
                queue.append(pool.submit(work, value))
                if len(queue) == 2 * threads:
                    yield queue.popleft().result()
            while queue:
                yield queue.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)
