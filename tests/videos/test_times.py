"""Times as people write them."""

from fractions import Fraction

import pytest

from cv_pipelines.errors import InputError
from cv_pipelines.videos.times import parse_time


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("12.5", Fraction(25, 2)),
        ("0.1", Fraction(1, 10)),
        ("2:30", 150),
        ("1:02:03.5", Fraction(7447, 2)),
        ("1001/30000", Fraction(1001, 30000)),
    ],
)
def test_times(text: str, seconds: Fraction) -> None:
    assert parse_time(text) == seconds


@pytest.mark.parametrize("text", ["", "-1", "1:2:3:4", "1e9", "nan", "1/0", "٣", "1:", "5s", "1" * 5000])
def test_what_is_none(text: str) -> None:
    with pytest.raises(InputError, match="is no time in a video"):
        parse_time(text)
