"""Videos of an archive through the assets of motion, in this process."""

import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cv_pipelines.errors import InfrastructureError
from cv_pipelines.motion import analysis
from cv_pipelines.motion.artefacts import motion as shares
from cv_pipelines.motion.artefacts.thumbnails import picture_of, stretches_of
from cv_pipelines.motion.published.motion_files import parse_motion
from cv_pipelines.motion.published.region_files import parse_regions
from cv_pipelines.motion.settings import load_motion_settings
from cv_pipelines.settings import ROOT
from cv_pipelines.workers import map_in_workers
from tests.assets.motion_runs import ASSETS, UP_TO_MOTION, Archive, checks, failure, materialized, steps

ALL_CHECKS = {
    "has_frames",
    "has_size",
    "has_duration",
    "few_invalid",
    "intervals_cover_video",
    "regions_tile_video",
    "known_kinds",
    "every_stretch_has_a_picture",
}


@pytest.fixture
def analysed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The numbers of the chunks that are given to workers."""
    numbers: list[int] = []

    def spy(work: Any, items: Any, *others: Any, **more: Any) -> Iterator[Any]:
        items = list(items)
        numbers.extend(item.chunk.number for item in items)
        return map_in_workers(work, items, *others, **more)

    monkeypatch.setattr(analysis, "map_in_workers", spy)
    return numbers


def unchanged(run: Any) -> dict[str, Any]:
    return {asset: one.metadata["unchanged"].value for asset, one in materialized(run).items()}


def test_a_video_becomes_facts_motion_regions_and_pictures_once(
    archive: Archive, clip: Path, analysed: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shares, "SHARE_CHUNKS", 1)
    key = archive.add(clip)

    run = archive.run(key)

    assert run.success
    assert set(checks(run)) == ALL_CHECKS
    assert all(checks(run).values())
    assert [step for step in steps(run) if step.startswith("camera_motion.")] == [
        "camera_motion.plan_motion_shares",
        "camera_motion.analyse_motion_share[0000]",
        "camera_motion.analyse_motion_share[0001]",
        "camera_motion.merge_motion_shares",
    ]
    assert sorted(analysed) == [0, 1]
    _look_at_artefacts(archive, key)
    _look_at_metadata(materialized(run))
    assert unchanged(run) == dict.fromkeys(ASSETS, False)
    assert list(archive.catalog.store.objects("checkpoints/")) == []

    again = archive.run(key)

    assert again.success
    assert unchanged(again) == dict.fromkeys(ASSETS, True)
    assert not [step for step in steps(again) if "analyse_motion_share" in step]
    assert sorted(analysed) == [0, 1]

    forced = archive.run(key, {"camera_motion": {"force": True}})

    assert forced.success
    assert unchanged(forced) == dict.fromkeys(ASSETS, True) | {"camera_motion": False}
    assert sorted(analysed) == [0, 0, 1, 1]


def _look_at_artefacts(archive: Archive, key: str) -> None:
    catalog = archive.catalog
    facts = catalog.open(catalog.require("video_catalog", key)).facts
    assert (facts["frames"], facts["width"], facts["height"], facts["rate"]) == (400, 320, 180, "30")
    motion = catalog.open(catalog.require("camera_motion", key))
    assert motion.table("intervals")["valid"].to_pylist() == [True] * 399
    assert len(parse_motion(motion.bytes("published"), "published")) == 40
    regions = catalog.open(catalog.require("motion_regions", key))
    rows = regions.table("regions").to_pylist()
    assert [row["kind"] for row in rows] == ["static", "pan_E"]
    assert abs(rows[0]["end_frame"] - 280) <= 4
    assert rows[1]["tx_mean"] == pytest.approx(-30, abs=1)
    assert parse_regions(regions.bytes("published"), "published")["kind"].to_pylist() == ["static", "pan_E"]
    assert regions.bytes("package").startswith(b"PK")
    thumbnails = catalog.open(catalog.require("static_thumbnails", key))
    (stretch,) = stretches_of(thumbnails)
    assert stretch.frame == (1 + rows[0]["end_frame"]) // 2
    pixels = picture_of(thumbnails, stretch)
    assert pixels is not None
    assert pixels.shape == (180, 320, 3)
    assert pixels.std() > 20


def _look_at_metadata(told: dict[str, Any]) -> None:
    for asset in ASSETS[1:]:
        assert told[asset].metadata["preview"].value.startswith("![preview](data:image/")
    assert told["camera_motion"].metadata["intervals"].value == 399
    assert told["motion_regions"].metadata["static_share"].value == pytest.approx(0.7, abs=0.02)
    kinds = [record.data["kind"] for record in told["motion_regions"].metadata["first regions"].records]
    assert kinds == ["static", "pan_E"]


def test_a_bad_video_is_in_quarantine_until_it_is_mended_and_others_go_on(
    archive: Archive, clip: Path, dark_clip: Path, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(clip.read_bytes()[:20_000])
    key, other = archive.add(bad), archive.add(dark_clip)

    run = archive.run(key)

    assert not run.success
    assert "damaged or still being written" in failure(run, "video_catalog")
    assert not [event for event in run.all_events if event.is_step_up_for_retry]
    assert materialized(run) == {}
    assert archive.video(key).is_quarantined
    assert "damaged or still being written" in archive.video(key).problem
    archive.run(other, {"camera_motion": {"stop": 40}})
    assert archive.catalog.current("camera_motion", other) is not None
    assert not archive.video(other).is_quarantined

    shutil.copy(clip, bad)

    assert archive.run(key, {"camera_motion": {"stride": 10}}).success
    assert not archive.video(key).is_quarantined
    assert archive.video(key).problem == ""


def test_too_many_intervals_without_motion_fail_the_check_and_stop_what_follows(
    archive: Archive, dark_clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = archive.add(dark_clip)

    run = archive.run(key)

    assert not run.success
    assert not checks(run)["few_invalid"]
    assert checks(run)["intervals_cover_video"]
    assert set(materialized(run)) == {"video_catalog", "camera_motion"}
    assert materialized(run)["camera_motion"].metadata["invalid_share"].value == pytest.approx(0.5, abs=0.02)
    assert archive.catalog.current("motion_regions", key) is None

    monkeypatch.setenv("CV_MOTION_INVALID_SHARE", "0.6")
    load_motion_settings.cache_clear()
    run = archive.run(key)

    assert run.success
    assert all(checks(run).values())


def test_a_run_that_is_killed_goes_on_where_it_was(archive: Archive, clip: Path, analysed: list[int]) -> None:
    command = [sys.executable, "-W", "ignore", "-m", "tests.assets.motion_runs", str(archive.folder), str(clip)]
    killed = subprocess.run(
        command,
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "CV_FAILPOINTS": "motion.chunk_kept:kill", "CV_STATE": str(archive.folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    key = archive.add(clip)
    assert archive.catalog.current("camera_motion", key) is None
    assert len(list(archive.catalog.store.objects("checkpoints/"))) == 1

    run = archive.run(key, only=UP_TO_MOTION)

    assert run.success
    assert analysed == [1]


def test_a_share_that_is_lost_does_only_again_what_is_missing(
    archive: Archive, clip: Path, analysed: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    key, kept = archive.add(clip), 0

    def fail_once(_: str) -> None:
        nonlocal kept
        kept += 1
        if kept == 1:
            raise InfrastructureError("lost", "The node is gone.")

    monkeypatch.setattr(analysis, "fail_point", fail_once)

    run = archive.run(key, only=UP_TO_MOTION)

    assert run.success
    share = "camera_motion.analyse_motion_share[0000]"
    assert [event.step_key for event in run.all_events if event.is_step_up_for_retry] == [share]
    assert analysed == [0, 1, 1]


def test_another_stride_and_other_thresholds_are_other_results(archive: Archive, dark_clip: Path) -> None:
    key = archive.add(dark_clip)
    config: dict[str, dict[str, Any]] = {"camera_motion": {"stride": 3, "stop": 39}}
    assert archive.run(key, config).success
    catalog = archive.catalog
    motion = catalog.open(catalog.require("camera_motion", key))
    assert motion.table("intervals")["to_frame"].to_pylist() == list(range(4, 38, 3))
    assert "published" not in motion.parts

    first = catalog.require("motion_regions", key)
    run = archive.run(key, config | {"motion_regions": {"thresholds": {"shortest": 60}}})
    assert run.success
    assert unchanged(run)["camera_motion"]
    assert catalog.require("motion_regions", key) != first

    wrong = archive.run(key, config | {"motion_regions": {"thresholds": {"speed": 1}}})
    assert "speed: Extra inputs are not permitted" in failure(wrong, "motion_regions")


def test_a_video_that_has_changed_since_it_was_looked_at_is_not_mixed_with_the_new_one(
    archive: Archive, clip: Path, dark_clip: Path, tmp_path: Path
) -> None:
    file = tmp_path / "changing.mp4"
    shutil.copy(dark_clip, file)
    key = archive.add(file)
    assert archive.run(key, only=["video_catalog"]).success
    shutil.copy(clip, file)

    run = archive.run(key, only=["camera_motion"])

    assert "has changed since it was looked at" in failure(run, "camera_motion.plan_motion_shares")
