import io
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from cv_pipelines.images.contact_sheet import MAX_BYTES
from cv_pipelines.motion.kinds import KINDS
from cv_pipelines.motion.regions import find_regions
from cv_pipelines.reports.kind_colours import GROUPS, colour_of, group_of, mark_of
from cv_pipelines.reports.motion_timeline import timeline
from tests.motion.made_motion import Act, cut, play

STORY = [Act(4), Act(4, vx=-0.1), Act(4, zoom=0.2), cut(), Act(4, shake=0.01), Act(4, reason="dark"), Act(4)]
HOUR = [*STORY * 140, Act(4, roll=0.3)]


def share_of(data: bytes, colour: str) -> float:
    rgb = [int(colour[place : place + 2], 16) for place in (1, 3, 5)]
    pixels = np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)
    return float((np.abs(pixels - rgb).max(axis=2) < 8).mean())


def drawn(table: pa.Table) -> bytes:
    return timeline(table, find_regions(table))


@pytest.mark.filterwarnings("ignore:Glyph:UserWarning")
@pytest.mark.parametrize(
    ("acts", "how"),
    [
        (STORY, {"noise": 0.5}),
        (HOUR, {"noise": 0.3}),
        (HOUR, {"stride": 10, "noise": 0.3}),
        ([Act(3, reason="dark")], {}),
        ([Act(1 / 30 + 1e-9)], {}),
        ([Act(3)], {"video": "$x^2^3$ \n<b> \U0001f600 " + "long " * 60}),
    ],
    ids=["short", "hour", "hour of few", "dark", "one frame", "odd name"],
)
def test_a_timeline_is_a_png_small_enough_for_the_event_log(acts: Sequence[Act], how: dict[str, Any]) -> None:
    data = drawn(play(acts, **how))
    with Image.open(io.BytesIO(data)) as picture:
        assert picture.format == "PNG"
        assert picture.width >= 432
        assert picture.height / picture.width == pytest.approx(504 / 864, abs=0.01)
        assert not picture.text  # type: ignore[attr-defined]
    assert len(data) <= MAX_BYTES


def test_every_kind_that_occurs_has_its_colour_and_no_other() -> None:
    data = drawn(play(STORY))
    for group in ("static", "pan", "zoom", "shake", "dark"):
        assert share_of(data, GROUPS[group]) > 0.005
    for group in ("roll", "pan with zoom", "unknown"):
        assert share_of(data, GROUPS[group]) < 0.0005


def test_the_legend_of_an_hour_tells_what_is_rare_from_what_is_not() -> None:
    data = drawn(play(HOUR, noise=0.3))
    for group in ("static", "pan", "zoom", "shake", "dark", "roll"):
        assert share_of(data, GROUPS[group]) > 0.0001


def test_regions_stand_where_they_are_in_time() -> None:
    data = drawn(play([Act(5), Act(15, vx=0.1)]))
    assert share_of(data, GROUPS["pan"]) == pytest.approx(3 * share_of(data, GROUPS["static"]), rel=0.2)


def test_one_interval_among_30000_is_seen() -> None:
    still, jump = (
        np.asarray(Image.open(io.BytesIO(drawn(play(acts)))).convert("L")).astype(int)
        for acts in ([Act(1000)], [Act(500), Act(1 / 30, vy=3), Act(500 - 1 / 30)])
    )
    height, width = still.shape
    above_zero = np.abs(still - jump)[
        int(0.13 * height) : int(0.22 * height), int(0.45 * width) : int(0.6 * width)
    ]
    assert above_zero.max() > 60


def test_kinds_have_groups_marks_and_colours() -> None:
    assert {group_of(kind) for kind in KINDS} == set(GROUPS)
    assert (mark_of("pan_NE"), mark_of("pan_zoom_in"), mark_of("static")) == ("NE", "in", "")
    assert len(set(GROUPS.values())) == len(GROUPS)
    assert colour_of("pan_N") == colour_of("pan_SW") != colour_of("pan_zoom_in")


@pytest.mark.parametrize("missing", [0, 1])
def test_what_was_not_analysed_is_grey(missing: int) -> None:
    whole = play([Act(20)], Fraction(30))
    table = pa.concat_tables([whole[:300], whole[300 + 200 * missing :]])
    assert (share_of(drawn(table), GROUPS["invalid"]) > 0.01) is bool(missing)
