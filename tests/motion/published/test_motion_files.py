import json
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from cv_pipelines.errors import InputError
from cv_pipelines.motion.intervals import INTERVALS, facts_of
from cv_pipelines.motion.published import format as published_format
from cv_pipelines.motion.published.composition import apply
from cv_pipelines.motion.published.motion_files import Effort, motion_json, parse_motion, read_motion
from cv_pipelines.motion.published.samples import SAMPLES, numbers_of, samples_of
from cv_pipelines.motion.regions import find_regions
from tests.motion.made_motion import Act, cut, play

FILM = Fraction(30000, 1001)
MOVIE = {"URL": "https://example.org/a.mov", "cacheURL": "", "NumFrames": 60, "Duration": 60 / float(FILM)}


def sample(frame: int, **flow: Any) -> dict[str, Any]:
    whole = {
        "similarity": [1.0, 0.0, 3.0, -2.0],
        "center": [-960.0, -540.0],
        "fromFrame": max(1, frame - 5),
        "toFrame": frame + 5,
        "imgScale": 0.25,
        "flowScale": 1.0,
        "valid": True,
    }
    return {"frameNumber": frame, "durationSeconds": 1.5, "opticalFlow": whole | flow}


def file(*samples: dict[str, Any], **changed: Any) -> bytes:
    content = {
        "contents": {"movie": "1.0", "frameStats": {"opticalFlow": "1.1"}},
        "movie": MOVIE,
        "frameStats": list(samples),
    }
    return json.dumps(content | changed).encode()


def old(data: bytes) -> bytes:
    """The same in version 1.0."""
    content = json.loads(data)
    stats = [
        {"frame_number": entry["frameNumber"], "similarity": entry["opticalFlow"]}
        for entry in content["frameStats"]
    ]
    contents = {"movie": "1.0", "frame_stats": {"contents": {"optical_flow": "1.0"}}}
    return json.dumps({"contents": contents, "movie": content["movie"], "frame_stats": stats}).encode()


@pytest.mark.parametrize("stride", [1, 2, 5, 10])
def test_samples_are_the_motion_of_ten_frames(stride: int) -> None:
    samples = samples_of(play([Act(4, vx=-0.05, vy=0.02)], stride=stride))
    assert samples.schema.equals(SAMPLES)
    rows = samples.to_pylist()
    spans = [(row["from_frame"], row["frame"], row["to_frame"]) for row in rows]
    if stride in (1, 5):
        assert spans[:3] == [(1, 1, 6), (6, 11, 16), (16, 21, 26)]
        assert rows[0]["tx"] == pytest.approx(-16)
    else:
        assert spans[:2] == [(1, 6, 11), (11, 16, 21)]
    assert rows[1]["tx"] == pytest.approx(-32)
    assert rows[1]["ty"] == pytest.approx(12.8)
    assert 110 < spans[-1][2] <= 120


def test_a_zoom_with_a_turn_is_composed_not_added() -> None:
    table = play([Act(4, vx=0.1, zoom=0.3, roll=0.2)])
    steps, one = numbers_of(table), numbers_of(samples_of(table))[1]
    point = np.array([100.0, 50.0])
    for step in steps[5:15]:
        point = apply(step, point)
    assert apply(one, np.array([100.0, 50.0])) == pytest.approx(point, abs=1e-9)


@pytest.mark.parametrize("reason", ["dark", "blurred", "textureless", "cut", "decode_error"])
@pytest.mark.parametrize("stride", [1, 5])
def test_a_span_with_an_interval_that_is_not_valid_is_not_valid(reason: str, stride: int) -> None:
    table = play([Act(1), Act(1 / 30, reason=reason), Act(3)], stride=stride)
    bad = [(row["frame"], row["reason"]) for row in samples_of(table).to_pylist() if not row["valid"]]
    assert bad == [(31, reason)]
    assert samples_of(table)["tx"].null_count == 1


def test_a_cut_is_the_reason_though_darkness_came_first() -> None:
    samples = samples_of(play([Act(0.8), Act(0.1, reason="dark"), cut(), Act(2)]))
    assert [row["reason"] for row in samples.to_pylist() if not row["valid"]][-1] == "cut"


def test_a_missing_interval_is_unknown() -> None:
    table = play([Act(4)])
    samples = samples_of(pa.concat_tables([table[:40], table[41:]]))
    assert [(row["frame"], row["reason"]) for row in samples.to_pylist() if not row["valid"]] == [(41, "unknown")]


def test_a_stride_of_three_is_refused() -> None:
    with pytest.raises(InputError, match=r"made\.mp4.*1, 2, 5, 10"):
        motion_json(play([Act(2)], stride=3))


def test_the_published_keys() -> None:
    now = datetime(2030, 1, 31, 12, tzinfo=UTC)
    table = play([Act(1), Act(1, reason="dark"), Act(1)], FILM, video="s3://b/ä.mov")
    content = json.loads(motion_json(table, Effort(17.8, now, now, "box", "cpu"), image_scale=0.25))
    assert content["contents"] == {
        "movie": "1.0",
        "frameStats": {"opticalFlow": "1.1"},
        "performance": {"timing": "1.0", "hostinfo": "1.1"},
    }
    assert content["movie"] == {
        "URL": "s3://b/ä.mov",
        "cacheURL": "s3://b/ä.mov",
        "NumFrames": 89,
        "Duration": pytest.approx(89 * 1.001 / 30),
    }
    assert content["performance"]["timing"]["elapsedSeconds"] == 17.8
    assert content["performance"]["hostinfo"] == {"hostname": "box", "cpu": "cpu"}
    first, dark = content["frameStats"][1], content["frameStats"][4]
    assert set(first) == {"frameNumber", "durationSeconds", "opticalFlow"}
    assert first["opticalFlow"] == {
        "similarity": [1.0, 0.0, 0.0, 0.0],
        "center": [-960.0, -540.0],
        "fromFrame": 6,
        "toFrame": 16,
        "imgScale": 0.25,
        "flowScale": 1.0,
        "valid": True,
    }
    assert (dark["frameNumber"], dark["opticalFlow"]["valid"], dark["opticalFlow"]["reason"]) == (
        41,
        False,
        "dark",
    )


@pytest.mark.parametrize("stride", [1, 2, 5, 10])
@hypothesis_settings(max_examples=25)
@given(st.floats(-0.3, 0.3), st.floats(-0.3, 0.3), st.floats(-0.5, 0.5), st.floats(-0.5, 0.5))
def test_what_is_written_is_read(stride: int, vx: float, vy: float, zoom: float, roll: float) -> None:
    acts = [Act(1, vx, vy, zoom, roll), Act(0.5, reason="blurred"), cut(), Act(1.5, -vx, vy, -zoom, roll)]
    table = play(acts, FILM, stride)
    samples, read = samples_of(table), parse_motion(motion_json(table), "a.json")
    assert read.schema.equals(INTERVALS)
    for name in ("from_frame", "to_frame", "valid", "reason"):
        assert read[name].to_pylist() == samples[name].to_pylist()
    assert np.allclose(numbers_of(read), numbers_of(samples), atol=1e-8, equal_nan=True)
    facts = facts_of(read)
    assert (facts.width, facts.height, facts.frames, facts.rate, facts.stride) == (1920, 1080, 89, FILM, 10)
    assert read["to_time"].to_pylist()[-1] == str(Fraction(read["to_frame"].to_pylist()[-1] - 1) / FILM)
    assert find_regions(read)["end_frame"].to_pylist()[-1] == 89


def test_a_similarity_is_moved_to_the_middle_of_the_pixels() -> None:
    """A zoom about (960, 540) moves the middle (959.5, 539.5) away by a tenth of half a pixel."""
    read = parse_motion(file(sample(11, similarity=[1.1, 0.0, 0.0, 0.0])), "a.json")
    assert (read["tx"][0].as_py(), read["ty"][0].as_py()) == pytest.approx((-0.05, -0.05))


def test_the_older_form_is_the_same() -> None:
    data = file(sample(1), sample(11), sample(21, valid=False))
    assert parse_motion(old(data), "a.json").equals(parse_motion(data, "a.json"))


def test_what_is_not_valid_in_an_old_file_has_no_frames() -> None:
    nothing = {
        "valid": False,
        "center": [0.0, 0.0],
        "fromFrame": 0,
        "toFrame": 0,
        "similarity": [1.0, 0.0, 0.0, 0.0],
    }
    read = parse_motion(file(sample(21, **nothing), sample(1, **nothing), sample(11)), "a.json")
    assert read["from_frame"].to_pylist() == [1, 6, 16]
    assert read["to_frame"].to_pylist() == [6, 16, 26]
    assert read["reason"].to_pylist() == ["unknown", "", "unknown"]
    assert read["confidence"].to_pylist() == [0, 1, 0]
    assert facts_of(read).width == 1920


@pytest.mark.parametrize(
    ("rate", "frames", "duration"),
    [
        (FILM, 25155, 839.338562011719),
        (Fraction(25), 1000, 40.0),
        (Fraction(60000, 1001), 1000, 16.683333),
        (Fraction(24000, 1001), 24000, 1001.0),
        (Fraction(35, 2), 35, 2.0),
    ],
)
def test_the_rate_is_the_one_that_was_meant(rate: Fraction, frames: int, duration: float) -> None:
    read = parse_motion(file(movie=MOVIE | {"NumFrames": frames, "Duration": duration}), "a.json")
    assert facts_of(read).rate == rate


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "JSON"),
        (b"not json", "JSON"),
        (b"\xff\xfe{}", "JSON"),
        (b"[" * 100_000, "JSON"),
        (b"[]", "object"),
        (b"null", "object"),
        (b"{}", "contents"),
        (file(frameStats={"a": 1}), "frameStats"),
        (file(frameStats=[1]), r"frameStats\.0"),
        (file(sample(11), {"frameNumber": 21}), r"frameStats\.1\.opticalFlow"),
        (file(sample(11, similarity=[1, 2, 3])), r"frameStats\.0\.opticalFlow\.similarity"),
        (file(sample(11, similarity=[1, 2, "3", 4])), r"similarity\.2"),
        (file(sample(11, similarity=[1, 0, float("nan"), 0])), r"similarity\.2.*finite"),
        (file(sample(11)).replace(b"3.0", b"1e999"), r"similarity\.2.*finite"),
        (file(sample(11)).replace(b": 11", b": 1" + b"0" * 5000), "out of range"),
        (file(sample(11, similarity=[0, 0, 0, 0])), "frame 11 has a scale"),
        (file(sample(11, center="middle")), "center"),
        (file(sample(11, valid=1)), "valid"),
        (file(sample(11, fromFrame=16, toFrame=16)), "frame 11 goes from"),
        (file(sample(11, fromFrame=1.5)), "fromFrame"),
        (file(sample(11, toFrame=-1)), "toFrame"),
        (file(sample(11, toFrame=10**12)), "toFrame"),
        (file(sample(0)), "frameNumber"),
        (file(sample(11), sample(21), sample(11)), "frame 11 is there more than once"),
        (file(sample(71)), "frame 71 reaches beyond"),
        (file(sample(11), sample(12, fromFrame=6)), "frame 12 does not start after"),
        (file(movie=MOVIE | {"NumFrames": "60"}), r"movie\.NumFrames"),
        (file(movie=MOVIE | {"Duration": 0}), r"movie\.Duration"),
        (file(movie={}), r"movie\.NumFrames"),
        (file(contents={"frameStats": {"opticalFlow": "2.0"}}), "version '2.0'"),
        (file(contents=[]), "contents"),
        (file(*({} for _ in range(50))), "and 97 more"),
    ],
)
def test_what_is_wrong_is_told_with_file_and_key(data: bytes, told: str) -> None:
    with pytest.raises(InputError, match=told) as problem:
        parse_motion(data, "a.json")
    assert "'a.json'" in problem.value.user_message
    assert len(problem.value.user_message) < 500


def test_a_file_that_is_too_large_is_not_read_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "large.json"
    path.write_bytes(file(sample(11)))
    assert len(read_motion(path)) == 1
    monkeypatch.setattr(published_format, "MAX_BYTES", path.stat().st_size - 1)
    with pytest.raises(InputError, match=r"large\.json"):
        read_motion(path)


@given(st.binary(max_size=60), st.integers(0, 400))
def test_bytes_from_anywhere_are_read_or_refused(junk: bytes, place: int) -> None:
    whole = file(sample(1), sample(11))
    for data in (junk, whole[:place] + junk + whole[place + len(junk) :]):
        try:
            table = parse_motion(data, "a.json")
        except InputError:
            continue
        find_regions(table)


def test_a_file_that_is_read_back_gives_the_same_samples(tmp_path: Path) -> None:
    intervals = play([Act(3), Act(2, vx=0.05), Act(3, zoom=0.1)])
    written = samples_of(intervals)
    path = tmp_path / "motion.json"
    path.write_bytes(motion_json(intervals))
    again = samples_of(read_motion(path))
    assert again["frame"].to_pylist() == written["frame"].to_pylist()
    assert len(again) > 20
    assert again["valid"].to_pylist() == written["valid"].to_pylist()
    for name in ("scale", "tx", "ty"):
        assert again[name].to_pylist() == pytest.approx(written[name].to_pylist(), abs=1e-6)
