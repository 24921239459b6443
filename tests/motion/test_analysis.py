"""From a video to its motion: chunks, workers, interruptions, and what is no picture of anything."""

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pyarrow as pa
import pytest

from cv_pipelines.errors import InputError
from cv_pipelines.motion.analysis import (
    MotionPlan,
    analyse_chunks,
    analyse_motion,
    forget_chunks,
    merged,
    parquet_bytes,
    plan_motion,
)
from cv_pipelines.motion.intervals import facts_of
from cv_pipelines.motion.parameters import MotionParameters
from cv_pipelines.motion.published.composition import compose_windows
from cv_pipelines.motion.published.samples import numbers_of
from cv_pipelines.motion.regions import find_regions
from cv_pipelines.storage.local import LocalStore
from cv_pipelines.videos.video import Video
from tests.motion.clips import Picture, camera, scene_of, shaken, views, write_clip

SIZE = (640, 360)


def scene(count: int, seed: str = "1", x: float = 1.5) -> Iterator[Picture]:
    yield from views(scene_of(seed, *SIZE), camera(count, x=x), *SIZE)


def plain(value: int, count: int) -> Iterator[Picture]:
    yield from (np.full((SIZE[1], SIZE[0], 3), value, np.uint8) for _ in range(count))


def plan_of(file: Path, **parameters: int) -> MotionPlan:
    return plan_motion(Video(str(file)), MotionParameters(**parameters))


def analysed(file: Path, store: LocalStore, workers: int = 1, **parameters: int) -> pa.Table:
    return analyse_motion(plan_of(file, **parameters), store, workers)


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three chunks: key frames come every 130 frames."""
    file = tmp_path_factory.mktemp("long") / "long.mp4"
    small = (320, 180)
    pictures = views(scene_of("3", *small), shaken(600, 2), *small)
    return write_clip(file, pictures, options={"g": "130", "preset": "veryfast"})


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "store")


def test_who_does_the_work_changes_no_byte(long: Path, tmp_path: Path) -> None:
    plan = plan_of(long)
    assert [chunk.first for chunk in plan.chunks] == [0, 260, 520]
    one, four = (
        parquet_bytes(analyse_motion(plan, LocalStore(tmp_path / str(workers)), workers)) for workers in (1, 4)
    )
    assert one == four


def test_every_interval_is_there_once(long: Path, store: LocalStore) -> None:
    table = analysed(long, store, workers=2)
    assert table["from_frame"].to_pylist() == list(range(1, 600))
    assert table["to_frame"].to_pylist() == list(range(2, 601))
    assert table["from_time"].to_pylist()[:3] == ["0", "1/30", "1/15"]
    assert all(table["valid"].to_pylist())
    facts = facts_of(table)
    assert (facts.video, facts.frames, facts.rate, facts.duration) == (str(long), 600, Fraction(30), Fraction(20))


def test_progress_counts_each_frame_once(long: Path, store: LocalStore) -> None:
    told: list[tuple[str, int, int | None]] = []
    plan = plan_of(long)

    analyse_motion(plan, store, 2, lambda *report: told.append(report))
    assert (told[0], told[-1]) == (("analysing frames", 0, 600), ("analysing frames", 600, 600))

    strided = plan_of(long, stride=10, start=4, stop=590)
    assert sum(chunk.new for chunk in strided.chunks) == 581  # from 4 to 584


@pytest.mark.parametrize("stride", [7, 10])
def test_a_stride_is_kept_over_the_borders_of_chunks(long: Path, store: LocalStore, stride: int) -> None:
    table = analysed(long, store, workers=2, stride=stride, start=4, stop=590)
    assert table["from_frame"].to_pylist() == list(range(4, 590 - stride + 1, stride))
    assert all(
        end - start == stride
        for start, end in zip(table["from_frame"].to_pylist(), table["to_frame"].to_pylist(), strict=True)
    )
    assert np.mean(table["valid"].to_pylist()) > 0.99


def test_single_frames_add_up_to_ten(long: Path, tmp_path: Path) -> None:
    single = numbers_of(analysed(long, LocalStore(tmp_path / "1"), workers=2))
    ten = numbers_of(analysed(long, LocalStore(tmp_path / "10"), workers=2, stride=10))
    summed = compose_windows(single, np.arange(0, 590, 10), 10)
    apart = np.hypot(*(summed - ten[:59])[:, 2:].T)
    assert apart.max() < 0.5


def test_a_chunk_that_is_lost_is_made_again_alone(long: Path, store: LocalStore) -> None:
    plan = plan_of(long)
    whole = analyse_motion(plan, store, 2)
    store.delete(plan.checkpoint(plan.chunks[1]))
    assert [chunk.number for chunk in analyse_chunks(plan, plan.chunks, store, 2)] == [1]
    assert merged(plan, store) == whole
    forget_chunks(plan, store)
    assert not any(store.exists(plan.checkpoint(chunk)) for chunk in plan.chunks)


def test_of_a_video_that_may_be_another_by_now_no_chunk_is_kept(tmp_path: Path, store: LocalStore) -> None:
    plan = replace(plan_of(write_clip(tmp_path / "a.mp4", scene(12))), stamp="")
    store.replace(plan.checkpoint(plan.chunks[0]), b"of another version")

    assert analyse_motion(plan, store, 1).num_rows == 11


def test_what_is_black_or_flat_has_no_motion(tmp_path: Path, store: LocalStore) -> None:
    pictures = [*scene(20), *plain(0, 20), *plain(140, 20)]
    table = analysed(write_clip(tmp_path / "flat.mp4", iter(pictures)), store)
    reasons = table["reason"].to_pylist()
    assert reasons[:19] == [""] * 19
    assert set(reasons[20:39]) == {"dark"}
    assert set(reasons[40:]) == {"textureless"}
    for row in table.to_pylist()[19:]:
        assert not row["valid"]
        assert row["scale"] is row["tx"] is row["residual"] is None


def test_a_cut_is_one_interval(tmp_path: Path, store: LocalStore) -> None:
    pictures = [*scene(30, "1"), *scene(30, "2", x=0)]
    table = analysed(write_clip(tmp_path / "cut.mp4", iter(pictures)), store)
    assert [n + 1 for n, reason in enumerate(table["reason"].to_pylist()) if reason] == [30]
    assert table["reason"][29].as_py() == "cut"
    regions = find_regions(table).to_pylist()
    assert [(row["kind"], row["start_frame"], row["end_frame"]) for row in regions] == [
        ("pan_W", 1, 29),
        ("cut", 30, 30),
        ("static", 31, 60),
    ]


@pytest.mark.parametrize(
    ("pixels", "codec"),
    [("yuv420p10le", "libx265"), ("gray", "ffv1"), ("rgb24", "libx264rgb"), ("yuv444p", "ffv1")],
)
def test_pixels_of_other_kinds_are_read(tmp_path: Path, store: LocalStore, pixels: str, codec: str) -> None:
    file = write_clip(tmp_path / "clip.mkv", scene(12), codec=codec, pixels=pixels, options={"crf": "18"})
    table = analysed(file, store)
    assert np.median(table["tx"].to_numpy()) == pytest.approx(1.5, abs=0.1)


def test_odd_sizes_are_measured_from_the_middle_of_the_whole_picture(tmp_path: Path, store: LocalStore) -> None:
    size = (1003, 571)
    pictures = views(scene_of("2", *size), camera(10, zoom=1.01), *size)
    table = analysed(write_clip(tmp_path / "odd.mkv", pictures, codec="ffv1", pixels="gray"), store)
    assert np.abs(table["tx"].to_numpy()).max() < 0.1
    assert np.abs(table["ty"].to_numpy()).max() < 0.1
    assert np.median(table["scale"].to_numpy()) == pytest.approx(1.01, abs=1e-4)


def test_a_video_that_is_broken_in_the_middle_says_where(long: Path, tmp_path: Path, store: LocalStore) -> None:
    broken = tmp_path / "broken.mp4"
    data = bytearray(long.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 4000] = bytes(4000)
    broken.write_bytes(data)
    table = analysed(broken, store, workers=2)
    assert table.num_rows == 599
    reasons = table["reason"].to_pylist()
    assert reasons[:200] == [""] * 200
    assert "decode_error" in reasons


def test_too_little_to_compare_is_said(tmp_path: Path) -> None:
    file = write_clip(tmp_path / "one.mp4", scene(1))
    with pytest.raises(InputError, match="two frames are needed"):
        plan_of(file)
    with pytest.raises(InputError, match="cannot be read"):
        plan_of(tmp_path / "nothing.mp4")


def test_cars_that_pass_a_camera_do_not_move_it(real_video: Path, store: LocalStore) -> None:
    regions = find_regions(analysed(real_video, store, workers=2)).to_pylist()
    assert [(row["kind"], row["start_frame"], row["end_frame"]) for row in regions] == [("static", 1, 377)]


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_turned_videos_move_as_they_are_seen(tmp_path: Path, store: LocalStore, rotation: int) -> None:
    size = SIZE if rotation == 180 else SIZE[::-1]
    upright = views(scene_of("1", *size), camera(10, x=3, zoom=1.002), *size)
    stored = (np.ascontiguousarray(np.rot90(picture, -rotation // 90)) for picture in upright)
    plain_file = write_clip(tmp_path / "stored.mp4", stored)
    turned = tmp_path / "turned.mp4"
    with av.open(str(plain_file)) as source, av.open(str(turned), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        stream.set_display_rotation(rotation)
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    table = analysed(turned, store)
    facts = facts_of(table)
    assert (facts.width, facts.height) == size
    assert np.median(table["tx"].to_numpy()) == pytest.approx(3, abs=0.15)
    assert np.median(table["ty"].to_numpy()) == pytest.approx(0, abs=0.15)
    assert np.median(table["scale"].to_numpy()) == pytest.approx(1.002, abs=2e-4)
