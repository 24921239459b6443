import pytest
from hypothesis import given
from hypothesis import strategies as st

from cv_pipelines.cli.ages import seconds_of, span_of


def test_a_span_is_read_as_people_write_it() -> None:
    spans = {"90s": 90, "15m": 900, "1h30m": 5400, "1.5h": 5400, "1d12h": 129_600, "1w": 604_800, "0s": 0}

    assert {text: seconds_of(text) for text in spans} == spans


@pytest.mark.parametrize("text", ["", "2", "h", "-2h", "2 h", "1.h", "2h!", "5x", "999999999w", "٣h"])
def test_what_is_no_span_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"span of time|100 years"):
        seconds_of(text)


@given(st.integers(0, 3_153_600_000_000))
def test_a_span_is_written_as_it_is_read(milliseconds: int) -> None:
    assert seconds_of(span_of(milliseconds / 1000)) == milliseconds / 1000
