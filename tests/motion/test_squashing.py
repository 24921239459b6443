import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cv_pipelines.motion.squashing import squash

WALL = 9


def squashed(runs: str, shortest: int = 20) -> str:
    """`"30a 5b 40a"`: lengths and kinds; upper case is one family, `?` is nothing known, `|` is a wall."""
    lengths, names = zip(*((int(run[:-1]), run[-1]) for run in runs.split()), strict=True)
    kinds = np.array([WALL if name == "|" else ord(name) for name in names])
    after = squash(
        np.array(lengths), kinds, lambda kind: -1 if chr(kind) == "?" else chr(kind).isupper(), shortest, WALL
    )
    return "".join("|" if kind == WALL else chr(kind) for kind in after)


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        ("30a 5b 40a", "aaa"),
        ("30a 5b 40c", "acc"),
        ("40a 5b 40c", "aac"),
        ("90a 5B 30C", "aCC"),
        ("30a 5b 90?", "aa?"),
        ("90? 5b 5?", "???"),
        ("30a 5? 90b", "abb"),
        ("30a 19b", "aa"),
        ("30a 20b", "ab"),
        ("5b 30a", "aa"),
        ("5b", "b"),
        ("30a 1| 5b 1| 30a", "a|b|a"),
        ("30a 1| 5b 30c", "a|cc"),
        ("12a 12b 12a 12b", "bbbb"),
        ("9a 8b 7c 6d 5e", "ddddd"),
        ("30a 3b 4a 3b 30c", "aaaac"),
    ],
)
def test_short_runs_join_a_neighbour(runs: str, expected: str) -> None:
    assert squashed(runs) == expected


@given(st.lists(st.tuples(st.integers(1, 40), st.sampled_from("aBcD|")), min_size=1, max_size=40))
def test_what_is_left_is_long_or_alone(runs: list[tuple[int, str]]) -> None:
    apart = [run for place, run in enumerate(runs) if place == 0 or run[1] != runs[place - 1][1]]
    after = squashed(" ".join(f"{length}{name}" for length, name in apart))
    assert [name == "|" for name in after] == [name == "|" for _, name in apart]
    place = 0
    for shot in after.split("|"):
        lengths = [length for length, _ in apart[place : place + len(shot)]]
        joined: list[int] = []
        for number, length in enumerate(lengths):
            if number and shot[number] == shot[number - 1]:
                joined[-1] += length
            else:
                joined.append(length)
        assert len(joined) < 2 or min(joined) >= 20
        place += len(shot) + 1
