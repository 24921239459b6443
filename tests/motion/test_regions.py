from fractions import Fraction
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from cv_pipelines.errors import InputError
from cv_pipelines.motion.intervals import facts_of
from cv_pipelines.motion.kinds import KINDS
from cv_pipelines.motion.regions import REGIONS, find_regions, frames_by_kind, region_rows
from cv_pipelines.motion.thresholds import Thresholds
from tests.motion.made_motion import Act, cut, play

FAST = 0.1
"""Widths a second: about six times the slowest pan."""
DIRECTIONS = {
    "pan_E": (-1, 0),
    "pan_NE": (-1, 1),
    "pan_N": (0, 1),
    "pan_NW": (1, 1),
    "pan_W": (1, 0),
    "pan_SW": (1, -1),
    "pan_S": (0, -1),
    "pan_SE": (-1, -1),
}
STORY = [
    Act(2),
    Act(2, vx=-FAST),
    Act(2),
    Act(2, vy=FAST),
    Act(2, zoom=0.2),
    Act(2, zoom=-0.2),
    Act(2),
    Act(2, vx=FAST, vy=FAST, zoom=0.2),
    Act(2),
    Act(4, shake=0.02, hertz=0.8),
    Act(2),
    cut(),
    Act(2, roll=0.2),
    Act(2, reason="dark"),
    Act(2, reason="textureless"),
    Act(2),
]
TOLD = [
    "static", "pan_E", "static", "pan_N", "zoom_in", "zoom_out", "static", "pan_zoom_in", "static", "shake",
    "static", "cut", "roll", "dark", "invalid", "static",
]  # fmt: skip


def kinds(regions: pa.Table) -> list[str]:
    return list(regions["kind"].to_pylist())


def check_tiles(regions: pa.Table, frames: int) -> None:
    assert regions.schema.equals(REGIONS)
    starts, ends = regions["start_frame"].to_pylist(), regions["end_frame"].to_pylist()
    assert [1, *(end + 1 for end in ends)] == [*starts, frames + 1]
    assert all(start <= end for start, end in zip(starts, ends, strict=True))
    assert regions["end_time"].to_pylist()[:-1] == regions["start_time"].to_pylist()[1:]
    assert set(kinds(regions)) <= set(KINDS)
    assert sum(frames_by_kind(regions).values()) == frames


@pytest.mark.parametrize("kind", DIRECTIONS)
@pytest.mark.parametrize("off", [-15, 0, 15])
def test_a_pan_is_named_after_where_the_camera_turns(kind: str, off: float) -> None:
    x, y = np.array(DIRECTIONS[kind]) / np.hypot(*DIRECTIONS[kind])
    turned = (x + 1j * y) * np.exp(1j * np.radians(off)) * FAST
    assert kinds(find_regions(play([Act(2, vx=turned.real, vy=turned.imag)]))) == [kind]


@pytest.mark.parametrize(
    ("act", "kind"),
    [
        (Act(3), "static"),
        (Act(3, vx=0.012, zoom=0.02, roll=0.02), "static"),
        (Act(3, zoom=0.05), "zoom_in"),
        (Act(3, zoom=-0.05), "zoom_out"),
        (Act(3, vx=FAST, zoom=-0.1), "pan_zoom_out"),
        (Act(3, vx=0.5, zoom=0.05), "pan_W"),
        (Act(3, vx=0.02, zoom=0.5), "zoom_in"),
        (Act(3, roll=-0.1), "roll"),
        (Act(3, vy=-FAST, roll=0.05), "pan_S"),
        (Act(3, shake=0.01, hertz=3), "shake"),
        (Act(3, shake=0.001, hertz=3), "static"),
        (Act(3, shake=0.01, hertz=3, vx=0.5), "pan_W"),
        (Act(3, reason="dark"), "dark"),
        (Act(3, reason="blurred"), "invalid"),
        (Act(3, reason="decode_error"), "invalid"),
    ],
)
def test_what_the_camera_does_all_the_time(act: Act, kind: str) -> None:
    assert kinds(find_regions(play([act], noise=0.1))) == [kind]


@pytest.mark.parametrize("stride", [1, 5, 10])
@pytest.mark.parametrize("rate", [Fraction(25), Fraction(30000, 1001), Fraction(60)])
@pytest.mark.parametrize("width", [640, 1920])
def test_neither_stride_nor_rate_nor_resolution_change_the_regions(
    stride: int, rate: Fraction, width: int
) -> None:
    regions = find_regions(play(STORY, rate, stride, width, noise=0.1))
    truth = np.cumsum([0, *(act.seconds for act in STORY)])[[n for n, act in enumerate(STORY) if act.seconds]]
    found = [row["start"] for row in region_rows(regions) if row["kind"] != "cut"]
    check_tiles(regions, facts_of(regions).frames)
    assert kinds(regions) == TOLD
    late = np.abs(np.array(found) - truth)
    assert max(late) <= stride / rate + 0.4
    assert max(late[: TOLD.index("shake")]) <= stride / rate + 0.12


def test_a_turn_back_is_no_shake() -> None:
    regions = find_regions(play([Act(2, vx=FAST), Act(2, vx=-FAST), Act(2, vx=FAST)]))
    assert kinds(regions) == ["pan_W", "pan_E", "pan_W"]


@pytest.mark.parametrize("width", [320, 1920])
def test_noise_at_a_threshold_does_not_make_regions_flicker(width: int) -> None:
    limits = Thresholds()
    at_speed = [Act(4), Act(20, vx=-limits.pan_speed * 1.05), Act(4)]
    assert kinds(find_regions(play(at_speed, width=width, noise=0.1))) == ["static", "pan_E", "static"]
    at_border = np.exp(1j * np.radians(22.5)) * FAST
    assert len(find_regions(play([Act(20, vx=-at_border.real, vy=at_border.imag)], width=width, noise=0.2))) == 1


def test_what_is_short_joins_its_neighbours_but_a_cut_stays() -> None:
    glimpse = [Act(3), Act(0.3, vx=FAST), Act(3), cut(), Act(3), Act(0.2, reason="dark"), Act(3)]
    regions = find_regions(play(glimpse))
    assert kinds(regions) == ["static", "cut", "static"]
    assert regions["invalid_share"].to_pylist()[2] == pytest.approx(0.2 / 6.2, abs=0.01)
    longer = find_regions(play(glimpse), Thresholds(shortest=3))
    assert kinds(longer) == ["static", "pan_W", "static", "cut", "static", "dark", "static"]


def test_a_shot_between_two_cuts_stays_however_short() -> None:
    regions = find_regions(play([Act(2), cut(), Act(0.3, vx=FAST), cut(), Act(2)]))
    assert kinds(regions) == ["static", "cut", "pan_W", "cut", "static"]


def test_motion_before_a_cut_does_not_leak_behind_it() -> None:
    start, end = (find_regions(play([Act(1, vx=1), cut(), Act(1)])).to_pylist()[place] for place in (0, 2))
    assert (start["kind"], start["tx_mean"]) == ("pan_W", pytest.approx(640))
    assert (end["kind"], end["tx_mean"]) == ("static", pytest.approx(0))
    assert kinds(find_regions(play([Act(1, vx=1), cut(), Act(1)]), Thresholds(shortest=1))) == [
        "pan_W",
        "cut",
        "static",
    ]


@pytest.mark.parametrize("stride", [1, 2, 5, 10])
def test_means_are_of_ten_frames_whatever_the_stride(stride: int) -> None:
    (row,) = find_regions(play([Act(6, vx=-0.1, vy=0.05, zoom=0.06, roll=0.03)], stride=stride)).to_pylist()
    assert row["tx_mean"] == pytest.approx(-64)
    assert row["ty_mean"] == pytest.approx(32)
    assert row["scale_mean"] == pytest.approx(np.exp(0.02))
    assert row["rotation_mean"] == pytest.approx(0.01)
    assert row["path"] == pytest.approx(np.hypot(192, 96) * 179 / 30, rel=0.06)
    assert row["size"] == 179 // stride
    assert row["confidence"] == pytest.approx(0.9)
    assert row["invalid_share"] == 0


def test_where_nothing_is_known_there_are_no_numbers() -> None:
    (row,) = find_regions(play([Act(3, reason="dark")])).to_pylist()
    assert [row[name] for name in ("scale_mean", "rotation_mean", "tx_mean", "ty_mean", "path")] == [None] * 5
    assert (row["size"], row["invalid_share"]) == (0, 1)


def test_frames_that_were_not_analysed_are_invalid() -> None:
    whole = play([Act(10)])
    some = pa.concat_tables([whole[60:150], whole[200:240]])
    regions = find_regions(some)
    bounds = [(row["kind"], row["start_frame"], row["end_frame"]) for row in regions.to_pylist()]
    assert bounds == [
        ("invalid", 1, 60),
        ("static", 61, 150),
        ("invalid", 151, 200),
        ("static", 201, 240),
        ("invalid", 241, 300),
    ]
    assert regions["start_time"].to_pylist() == ["0", "2", "5", "20/3", "8"]
    assert regions["end_time"].to_pylist()[-1] == "10"
    check_tiles(regions, 300)


def test_a_table_that_samples_the_video_counts_as_whole() -> None:
    sampled = play([Act(3), Act(3, vx=-FAST), Act(3)]).take(list(range(0, 269, 10)))
    facts = facts_of(sampled)
    metadata = {**facts.metadata(), "cv.stride": "10"}
    regions = find_regions(sampled.replace_schema_metadata(metadata))
    assert kinds(regions) == ["static", "pan_E", "static"]
    assert regions["tx_mean"].to_pylist()[1] == pytest.approx(-64, rel=0.15)


@pytest.mark.parametrize(("seconds", "expected"), [(Fraction(1, 30), ["invalid"]), (Fraction(0), [])])
def test_one_frame_or_none(seconds: Fraction, expected: list[str]) -> None:
    regions = find_regions(play([Act(float(seconds) + 1e-9)]))
    assert kinds(regions) == expected
    assert regions.schema.equals(REGIONS)


@pytest.mark.parametrize(
    ("rows", "changed"),
    [
        ([1, 0], {}),
        ([0, 0], {}),
        ([0], {"to_frame": [1]}),
        ([0], {"to_frame": [301]}),
        ([0], {"from_frame": [0]}),
        ([0], {"from_time": ["soon"]}),
        ([0], {"to_time": ["1/0/0"]}),
    ],
)
def test_a_table_that_is_none_is_refused(rows: list[int], changed: dict[str, list[object]]) -> None:
    table = play([Act(10)]).take(rows)
    for name, values in changed.items():
        place = table.schema.get_field_index(name)
        table = table.set_column(place, table.schema.field(name), pa.array(values, table.schema.field(name).type))
    with pytest.raises(InputError):
        find_regions(table)


def test_times_that_stand_still_do_not_stop_it() -> None:
    table = play([Act(3), Act(3, vx=FAST)])
    for name in ("from_time", "to_time"):
        place = table.schema.get_field_index(name)
        table = table.set_column(place, table.schema.field(name), pa.array(["1/2"] * len(table)))
    assert kinds(find_regions(table)) == ["static", "pan_W"]


act = st.builds(
    Act,
    seconds=st.floats(0, 2),
    vx=st.sampled_from([0, 0, FAST, -FAST]),
    vy=st.sampled_from([0, 0, FAST, -FAST]),
    zoom=st.sampled_from([0, 0, 0.3, -0.3]),
    shake=st.sampled_from([0, 0, 0.02]),
    reason=st.sampled_from(["", "", "", "cut", "dark", "blurred", "decode_error"]),
)


@hypothesis_settings(max_examples=60)
@given(
    acts=st.lists(act, min_size=1, max_size=8),
    stride=st.integers(1, 12),
    rate=st.sampled_from([Fraction(25), Fraction(30000, 1001), Fraction(60)]),
    keep=st.integers(0, 2**30),
    noise=st.sampled_from([0, 5]),
)
def test_regions_tile_the_video_whatever_happens(
    acts: list[Act], stride: int, rate: Fraction, keep: int, noise: float
) -> None:
    table = play([*acts, Act(0.1)], rate, stride, noise=noise)
    some = table.filter(pa.array(np.random.default_rng(keep).random(len(table)) > keep % 3 / 10))
    regions, limits = find_regions(some), Thresholds()
    check_tiles(regions, facts_of(table).frames)
    rows = regions.to_pylist()
    joinable = [
        row
        for place, row in enumerate(rows)
        if row["end_frame"] - row["start_frame"] + 1 < limits.shortest
        and row["kind"] != "cut"
        and {other["kind"] for other in rows[max(0, place - 1) : place + 2]} - {"cut", row["kind"]}
    ]
    assert joinable == []
    assert all(one["kind"] != other["kind"] for one, other in pairwise(rows))
    assert find_regions(some).equals(regions)


def test_a_camera_that_pans_there_and_back_does_not_shake() -> None:
    there_and_back = [Act(0.7, vx=0.05), Act(0.7, vx=-0.05), Act(0.7, vx=0.05)]
    regions = find_regions(play([Act(2), *there_and_back, Act(2)]))
    assert regions["kind"].to_pylist() == ["static", "pan_W", "pan_E", "pan_W", "static"]


def test_short_pans_that_become_one_go_where_they_go_together() -> None:
    turning = [Act(0.3, vx=-0.05), Act(0.4, vy=0.05), Act(0.3, vx=0.05)]
    regions = find_regions(play([Act(2), *turning, Act(2)]))
    assert regions["kind"].to_pylist() == ["static", "pan_N", "static"]
