"""Work in processes that may die: what foreign bytes do to a decoder stays there."""

import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from cv_pipelines.errors import InfrastructureError

Item = TypeVar("Item")
Result = TypeVar("Result")
Work = Callable[[Sequence[Item]], list[Result]]

_AHEAD = 3
"""Batches queued per worker: enough to keep it busy, few enough to bound the memory."""


def map_in_workers(
    work: Work[Item, Result],
    items: Sequence[Item],
    on_crash: Callable[[Item], Result],
    workers: int,
    batch: int = 32,
) -> Iterator[list[Result]]:
    """Apply `work` to batches of items in other processes; results come as they are ready.

    When a process dies, every batch that was under way is repeated item by item, so that exactly
    the item that kills is given to `on_crash`.

    Args:
        work: must pickle, as must its items and results.
        items: what to work on.
        on_crash: makes the result of an item at which a process died.
        workers: number of processes.
        batch: items a call.

    Yields:
        The results of some items, never empty.
    """
    waiting = deque(items[start : start + batch] for start in range(0, len(items), batch))
    while waiting:
        suspects: list[Sequence[Item]] = []
        yield from _until_crash(work, waiting, suspects, workers)
        for suspect in suspects:
            yield _one_by_one(work, suspect, on_crash)


def _pool(workers: int) -> ProcessPoolExecutor:
    # never fork: TensorFlow may already run threads in this process
    return ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), initializer=_mute)


def _require_workers(pool: ProcessPoolExecutor) -> None:
    """Tell a pool that cannot start from one that dies of its work."""
    try:
        pool.submit(int).result()
    except BrokenProcessPool as error:
        message = "No worker process starts. A script that ingests images needs: if __name__ == '__main__':"
        raise InfrastructureError("no_workers", message) from error


def _mute() -> None:
    """Decoders' own mutterings name no file; what matters comes back as a result."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def _until_crash(
    work: Work[Item, Result], waiting: deque[Sequence[Item]], suspects: list[Sequence[Item]], workers: int
) -> Iterator[list[Result]]:
    """Empty `waiting`, or stop at the first death and move what was under way to `suspects`."""
    running: dict[Future[list[Result]], Sequence[Item]] = {}
    with _pool(min(workers, len(waiting))) as pool:
        _require_workers(pool)
        try:
            while waiting or running:
                while waiting and len(running) < workers * _AHEAD:
                    running[pool.submit(work, waiting[0])] = waiting[0]
                    waiting.popleft()
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    result = future.result()
                    del running[future]
                    yield result
        except BrokenProcessPool:
            suspects.extend(running.values())
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _one_by_one(
    work: Work[Item, Result], items: Sequence[Item], on_crash: Callable[[Item], Result]
) -> list[Result]:
    results: list[Result] = []
    while len(results) < len(items):
        with _pool(1) as pool:
            try:
                for item in items[len(results) :]:
                    results += pool.submit(work, [item]).result()
            except BrokenProcessPool:
                results.append(on_crash(items[len(results)]))
    return results
