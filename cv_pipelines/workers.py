"""Work in processes that may die: what foreign bytes do to a decoder stays there."""

import gc
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import chain, islice
from multiprocessing import connection, forkserver
from multiprocessing.context import ForkServerContext, ForkServerProcess
from multiprocessing.popen_forkserver import Popen
from multiprocessing.process import BaseProcess
from types import ModuleType
from typing import TypeVar

from cv_pipelines.errors import InfrastructureError
from cv_pipelines.garbage import collect_rarely

Item = TypeVar("Item")
Result = TypeVar("Result")
Work = Callable[[Sequence[Item]], Result]

_script_hidden = threading.Lock()
_AHEAD = 3
"""Batches queued per worker: enough to keep it busy, few enough to bound the memory."""
_OBJECTS = 1_000_000
"""New objects after which Python looks for cycles while results pile up, of which hardly any are in one."""
_alarmed = False
"""Whether this is a worker process, which an alarm may end."""


def map_in_workers(
    work: Work[Item, Result],
    items: Iterable[Item],
    on_crash: Callable[[Item], Result],
    workers: int,
    batch: int = 32,
) -> Iterator[Result]:
    """Apply `work` to batches of items in other processes; results come as they are ready.

    When a process dies, every batch that was under way is repeated item by item, so that exactly
    the item that kills is given to `on_crash`.

    Args:
        work: must pickle, as must its items and results; what a script itself defines does not (see _Worker).
        items: what to work on; taken as they are needed.
        on_crash: makes the result of an item at which a process died.
        workers: number of processes.
        batch: items a call.

    Yields:
        The result of some items.
    """
    waiting = iter(_batches(items, batch))
    while first := next(waiting, None):
        suspects: list[Sequence[Item]] = []
        yield from _until_crash(work, chain([first], waiting), suspects, workers)
        for suspect in suspects:
            yield from _one_by_one(work, suspect, on_crash)


@contextmanager
def few_collections() -> Iterator[None]:
    """Look for cycles less often meanwhile: rows of files are many objects, and none of them is in a cycle."""
    before = gc.get_threshold()
    gc.set_threshold(_OBJECTS)
    try:
        yield
    finally:
        gc.set_threshold(*before)


class time_limit:  # noqa: N801 - a context manager; as a generator it would cost a small file too much
    """End this worker, as a crash would, where something in C hangs and takes no other signal."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def __enter__(self) -> None:
        if _alarmed:
            signal.setitimer(signal.ITIMER_REAL, self._seconds)

    def __exit__(self, *_: object) -> None:
        if _alarmed:
            signal.setitimer(signal.ITIMER_REAL, 0)


def _batches(items: Iterable[Item], size: int) -> Iterator[Sequence[Item]]:
    left = iter(items)
    while taken := list(islice(left, size)):
        yield taken


def start_server(module: str) -> None:
    """Start the process that workers are forked off, with one module imported; it is ready a little later.

    Never this process: TensorFlow may already run threads here.
    """
    forkserver.set_forkserver_preload([module])
    forkserver.ensure_running()


class _Worker(ForkServerProcess):
    """A worker that does not run the caller's script again, as multiprocessing has it.

    What is called here lies in modules. To run the script costs every worker what the script
    imports, and one without `if __name__ == "__main__":` would start workers in its workers.
    """

    @staticmethod
    def _Popen(process_obj: BaseProcess) -> Popen:  # noqa: N802 - multiprocessing's name
        with _script_hidden:
            script = sys.modules["__main__"]
            sys.modules["__main__"] = ModuleType("__main__")
            try:
                return ForkServerProcess._Popen(process_obj)
            finally:
                sys.modules["__main__"] = script


class _Workers(ForkServerContext):
    """Where a pool gets its processes from."""

    Process = _Worker


def _pool(workers: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(workers, _Workers(), initializer=_settle_in)


def _require_workers(pool: ProcessPoolExecutor, workers: int) -> None:
    """Start all of them at once, and tell a pool that cannot start from one that dies of its work."""
    try:
        wait([pool.submit(int) for _ in range(workers)], return_when=FIRST_COMPLETED).done.pop().result()
    except BrokenProcessPool as error:
        message = "No worker process starts. Is there memory left, and may this user start processes (ulimit -u)?"
        raise InfrastructureError("no_workers", message) from error


def _settle_in() -> None:
    """Decoders' own mutterings name no file; what matters comes back as a result."""
    global _alarmed
    _alarmed = True
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    collect_rarely()
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A parent that is killed cannot end its workers; they would wait for it for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def _until_crash(
    work: Work[Item, Result],
    waiting: Iterator[Sequence[Item]],
    suspects: list[Sequence[Item]],
    workers: int,
) -> Iterator[Result]:
    """Empty `waiting`, or stop at the first death and move what was under way to `suspects`."""
    running: dict[Future[Result], Sequence[Item]] = {}
    with _pool(workers) as pool:
        _require_workers(pool, workers)
        try:
            while True:
                for batch in islice(waiting, workers * _AHEAD - len(running)):
                    suspects.append(batch)  # until it is under way: a pool may break right here
                    running[pool.submit(work, batch)] = batch
                    suspects.pop()
                if not running:
                    return
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
) -> Iterator[Result]:
    done = 0
    while done < len(items):
        with _pool(1) as pool:
            try:
                for item in items[done:]:
                    yield pool.submit(work, [item]).result()
                    done += 1
            except BrokenProcessPool:
                yield on_crash(items[done])
                done += 1
