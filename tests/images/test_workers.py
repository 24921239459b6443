import multiprocessing
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from cv_pipelines.images.workers import map_in_workers

DEADLY = 13
BAD = 17


def square(numbers: Sequence[int]) -> list[int]:
    """Ends the whole process at one number, as a decoder does that runs into foreign memory."""
    for number in numbers:
        if number % 100 == DEADLY:
            os._exit(9)
        if number == BAD:
            raise ValueError("an ordinary error")
    return [number**2 for number in numbers]


def process_ids(numbers: Sequence[int]) -> list[int]:
    return [os.getpid() for _ in numbers]


def mutter(numbers: Sequence[int]) -> list[int]:
    os.write(2, b"the decoder mutters")
    return list(numbers)


def test_every_item_gets_its_result_in_another_process() -> None:
    results = list(map_in_workers(square, range(10), lambda item: -item, workers=2, batch=4))
    ids = list(map_in_workers(process_ids, range(3), lambda _: -1, workers=1))

    assert sorted(sum(results, [])) == [number**2 for number in range(10)]  # noqa: RUF017 - three short ones
    assert sorted(len(part) for part in results) == [2, 4, 4]
    assert os.getpid() not in ids[0]


def test_without_items_there_are_no_results() -> None:
    assert list(map_in_workers(square, [], lambda item: -item, workers=2)) == []


def test_a_worker_that_dies_costs_only_the_item_that_killed_it() -> None:
    crashed: list[int] = []

    def on_crash(item: int) -> int:
        crashed.append(item)
        return -item

    items = [*range(8, 16), 113, 114, *range(20, 30)]
    parts = list(map_in_workers(square, items, on_crash, workers=2, batch=5))

    found = sorted(result for part in parts for result in part)
    assert sorted(crashed) == [13, 113]
    assert found == sorted([-13, -113] + [item**2 for item in items if item not in (13, 113)])
    assert all(parts)


def test_an_item_that_kills_alone_is_given_up_at_once() -> None:
    assert list(map_in_workers(square, [DEADLY], lambda item: -item, workers=3)) == [[-DEADLY]]


def test_an_ordinary_error_is_passed_on() -> None:
    with pytest.raises(ValueError, match="an ordinary error"):
        list(map_in_workers(square, [1, BAD, 2], lambda item: -item, workers=1, batch=1))


def test_who_stops_reading_leaves_no_process_behind() -> None:
    results = map_in_workers(square, range(20, 60), lambda item: -item, workers=2, batch=1)

    assert len(next(results)) == 1
    results.close()  # type: ignore[attr-defined]

    assert multiprocessing.active_children() == []


def test_what_a_decoder_writes_to_the_terminal_is_not_shown(capfd: pytest.CaptureFixture[str]) -> None:
    assert list(map_in_workers(mutter, [1, 2], lambda item: -item, workers=1)) == [[1, 2]]

    assert capfd.readouterr().err == ""


def test_workers_that_cannot_even_start_do_not_make_every_item_a_bad_one(tmp_path: Path) -> None:
    script = tmp_path / "unguarded.py"  # without `if __name__ == "__main__"` a spawned process cannot start
    script.write_text(
        "from cv_pipelines.images.workers import map_in_workers\n"
        "print(list(map_in_workers(sorted, [[2, 1], [4, 3]], lambda item: 'given up', workers=1)))\n"
    )

    run = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=60, check=False)

    assert "given up" not in run.stdout
