import hashlib
import itertools
import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import connection
from pathlib import Path

import psutil
import pytest

from cv_pipelines import workers
from cv_pipelines.errors import InfrastructureError
from cv_pipelines.workers import map_in_workers, time_limit
from tests.installation import PATIENCE

DEADLY = 13
BAD = 17
HANGING = 19


def square(numbers: Sequence[int]) -> list[int]:
    """Ends the whole process at one number, as a decoder does that runs into foreign memory."""
    for number in numbers:
        if number % 100 == DEADLY:
            os._exit(9)
        if number == BAD:
            raise ValueError("an ordinary error")
    return [number**2 for number in numbers]


def given_up(number: int) -> list[int]:
    return [-number]


def process_ids(numbers: Sequence[int]) -> list[int]:
    return [os.getpid() for _ in numbers]


def mutter(numbers: Sequence[int]) -> list[int]:
    os.write(2, b"the decoder mutters")
    return list(numbers)


def hang(numbers: Sequence[int]) -> list[int]:
    """Comes to no end at one number, inside a library that lets no signal through to Python."""
    for number in numbers:
        with time_limit(0.3):
            if number == HANGING:
                hashlib.pbkdf2_hmac("sha256", b"", b"", 5 * 10**7)
    return list(numbers)


def outlive(numbers: Sequence[int]) -> list[int]:
    with time_limit(0.1):
        pass
    time.sleep(0.2)
    return list(numbers)


def joined(parts: Iterator[list[int]]) -> list[int]:
    return sorted(itertools.chain.from_iterable(parts))


def test_every_item_gets_its_result_in_another_process() -> None:
    results = list(map_in_workers(square, range(10), given_up, workers=2, batch=4))
    ids = list(map_in_workers(process_ids, range(3), given_up, workers=1))

    assert joined(iter(results)) == [number**2 for number in range(10)]
    assert sorted(len(part) for part in results) == [2, 4, 4]
    assert os.getpid() not in ids[0]


def test_without_items_there_are_no_results() -> None:
    assert list(map_in_workers(square, [], given_up, workers=2)) == []


def test_items_are_taken_as_they_are_needed() -> None:
    numbers = itertools.count(20)

    results = map_in_workers(square, numbers, given_up, workers=1, batch=2)
    first = next(results)
    results.close()  # type: ignore[attr-defined]

    assert first in ([400, 441], [484, 529], [576, 625])  # whichever was ready first
    assert next(numbers) - 20 <= 8, "of endless ones"


def test_a_worker_that_dies_costs_only_the_item_that_killed_it() -> None:
    crashed: list[int] = []

    def on_crash(item: int) -> list[int]:
        crashed.append(item)
        return [-item]

    items = [*range(8, 16), 113, 114, *range(20, 30)]
    parts = list(map_in_workers(square, items, on_crash, workers=2, batch=5))

    assert sorted(crashed) == [13, 113]
    assert joined(iter(parts)) == sorted([-13, -113] + [item**2 for item in items if item not in (13, 113)])
    assert all(parts)


def test_an_item_that_kills_alone_is_given_up_at_once() -> None:
    assert list(map_in_workers(square, [DEADLY], given_up, workers=3)) == [[-DEADLY]]


def test_what_was_about_to_start_when_the_workers_died_is_not_lost() -> None:
    def taken_too_late() -> Iterator[int]:
        yield DEADLY
        connection.wait([process.sentinel for process in multiprocessing.active_children()], timeout=10)
        time.sleep(0.2)  # until the pool knows
        yield from range(20, 24)

    results = map_in_workers(square, taken_too_late(), given_up, workers=1, batch=1)

    assert joined(results) == [-DEADLY, 400, 441, 484, 529]


def test_a_worker_that_hangs_costs_only_the_item_that_it_hangs_at() -> None:
    assert joined(map_in_workers(hang, [1, HANGING, 2, 3], given_up, workers=1, batch=2)) == [-HANGING, 1, 2, 3]


def test_what_ends_in_time_is_left_alone_afterwards() -> None:
    assert list(map_in_workers(outlive, [1], given_up, workers=1)) == [[1]]


def test_a_time_limit_does_not_end_a_process_that_is_no_worker() -> None:
    with time_limit(0.01):
        time.sleep(0.05)


def test_an_ordinary_error_is_passed_on() -> None:
    with pytest.raises(ValueError, match="an ordinary error"):
        list(map_in_workers(square, [1, BAD, 2], given_up, workers=1, batch=1))


def test_who_stops_reading_leaves_no_process_behind() -> None:
    results = map_in_workers(square, range(20, 60), given_up, workers=2, batch=1)

    assert len(next(results)) == 1
    results.close()  # type: ignore[attr-defined]

    assert multiprocessing.active_children() == []


def test_what_a_decoder_writes_to_the_terminal_is_not_shown(capfd: pytest.CaptureFixture[str]) -> None:
    assert list(map_in_workers(mutter, [1, 2], given_up, workers=1)) == [[1, 2]]

    assert capfd.readouterr().err == ""


def run_script(path: Path, code: str) -> subprocess.CompletedProcess[str]:
    path.write_text(f"import os\nfrom cv_pipelines.workers import map_in_workers\n{code}")
    return subprocess.run([sys.executable, path], capture_output=True, text=True, timeout=PATIENCE, check=False)


def test_workers_that_cannot_even_start_do_not_make_every_item_a_bad_one(monkeypatch: pytest.MonkeyPatch) -> None:
    context = multiprocessing.get_context("forkserver")
    dead = partial(ProcessPoolExecutor, mp_context=context, initializer=os._exit, initargs=(1,))
    monkeypatch.setattr(workers, "_pool", dead)

    with pytest.raises(InfrastructureError, match="No worker process starts") as raised:
        list(map_in_workers(square, range(10), given_up, workers=2))

    assert raised.value.code == "no_workers"


def test_a_script_runs_once_and_needs_no_guard(tmp_path: Path) -> None:
    code = "print(list(map_in_workers(sorted, [[2, 1], [4, 3]], print, workers=1)), __name__)\n"

    run = run_script(tmp_path / "unguarded.py", code)

    assert (run.returncode, run.stdout) == (0, "[[[2, 1], [4, 3]]] __main__\n"), run.stderr


WAITING = """
import os, time

def wait(items):
    time.sleep(0.1)
    return os.getpid()
"""
KILLED = """
from waiting import wait

ids = map_in_workers(wait, range(100), print, workers=2, batch=1)
print(*{next(ids) for _ in range(10)}, flush=True)
os.kill(os.getpid(), 9)
"""


def test_whoever_is_killed_leaves_no_worker_behind(tmp_path: Path) -> None:
    (tmp_path / "waiting.py").write_text(WAITING)

    run = run_script(tmp_path / "killed.py", KILLED)
    ids = [int(text) for text in run.stdout.split()]

    assert (run.returncode, len(ids)) == (-9, 2), run.stderr
    assert eventually(lambda: not any(map(psutil.pid_exists, ids)))


def eventually(is_so: Callable[[], bool], seconds: float = 10) -> bool:
    """Whether something comes true."""
    ends = time.monotonic() + seconds
    while not is_so() and time.monotonic() < ends:
        time.sleep(0.05)
    return is_so()
