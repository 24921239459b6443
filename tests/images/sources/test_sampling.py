from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cv_pipelines.images.sources.sampling import Sampling

HALVES = [Fraction(number, 2) for number in range(10)]


@pytest.mark.parametrize(
    ("sampling", "chosen"),
    [
        (Sampling(every=1), list(range(10))),
        (Sampling(every=4), [0, 4, 8]),
        (Sampling(every=100), [0]),
        (Sampling(), [0, 2, 4, 6, 8]),
        (Sampling(rate=Fraction(2)), list(range(10))),
        (Sampling(rate=Fraction(30)), list(range(10))),
        (Sampling(rate=Fraction(1, 2)), [0, 4, 8]),
        (Sampling(rate=Fraction(2, 3)), [0, 3, 6, 9]),
    ],
)
def test_frames_are_chosen_evenly(sampling: Sampling, chosen: list[int]) -> None:
    assert list(sampling.choose(HALVES)) == chosen


def test_where_frames_are_missing_the_next_one_is_taken_and_none_twice() -> None:
    times = [Fraction(time, 10) for time in (0, 1, 2, 34, 35, 36, 41, 80)]

    assert list(Sampling().choose(times)) == [0, 3, 6, 7]


def test_of_no_frames_none_are_chosen() -> None:
    assert list(Sampling().choose([])) == []


@given(
    st.lists(st.fractions(0, 60, max_denominator=90000), unique=True).map(sorted),
    st.fractions(Fraction(1, 60), 60, max_denominator=1000),
)
def test_each_period_that_has_frames_gives_one(times: list[Fraction], rate: Fraction) -> None:
    periods = [(time - times[0]) * rate // 1 for time in times]

    chosen = list(Sampling(rate=rate).choose(times))

    assert [periods[place] for place in chosen] == sorted(set(periods))
