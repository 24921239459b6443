"""Since when somebody has been listening."""

import pytest

from cv_pipelines.tasks.ledger.watch import Watch


@pytest.mark.parametrize(
    ("watch", "now", "since"),
    [
        (Watch(), 1000.0, 1000.0),
        (Watch(last=995, since=100), 1000.0, 100.0),
        (Watch(last=970, since=100), 1000.0, 100.0),
        (Watch(last=969, since=100), 1000.0, 1000.0),
        (Watch(last=1001, since=100), 1000.0, 1000.0),
        (Watch(last=1000, since=1001), 1000.0, 1000.0),
    ],
    ids=["the first tick", "the next", "after a pause", "a gap", "a clock set back", "nonsense"],
)
def test_a_watch_goes_on_from_tick_to_tick_and_begins_anew_behind_a_gap(
    watch: Watch, now: float, since: float
) -> None:
    assert watch.resume(now, pause=30) == Watch(last=now, since=since)


def test_a_tick_that_takes_long_is_no_gap() -> None:
    watch = Watch(last=995, since=100).resume(1000, pause=30).end(1055)

    assert watch.resume(1060, pause=30) == Watch(last=1060, since=100)


@pytest.mark.parametrize("cursor", [None, "", "?", "[]", '{"last": "soon"}', '{"last": NaN, "since": 1}'])
def test_a_cursor_that_says_nothing_begins_anew(cursor: str | None) -> None:
    assert Watch.read(cursor) == Watch()


def test_a_cursor_is_read_as_it_was_written() -> None:
    watch = Watch(last=1700000000.123, since=1600000000.5)
    assert Watch.read(watch.model_dump_json()) == watch
