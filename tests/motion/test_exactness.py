"""What an analysis finds, against motion that is known exactly."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pytest

from cv_pipelines.motion.analysis import analyse_motion, plan_motion
from cv_pipelines.motion.parameters import MotionParameters
from cv_pipelines.storage.local import LocalStore
from cv_pipelines.videos.video import Video
from tests.motion.clips import Camera, Floats, Picture, Spoil, camera, clip, shaken, true_motion

FRAMES = 17
HD, SMALL = (1920, 1080), (1280, 720)


@dataclass(frozen=True)
class Case:
    """A clip: a scene, what the camera does, and what is not the camera's."""

    scene: str
    path: Camera
    size: tuple[int, int] = SMALL
    spoil: Spoil = lambda _, picture: picture


def faded(number: int, picture: Picture) -> Picture:
    """From full brightness to a third of it."""
    return np.asarray(picture * (1 - 0.65 * number / FRAMES), np.uint8)


def noisy(number: int, picture: Picture) -> Picture:
    """A sensor in poor light."""
    noise = np.random.default_rng(number).normal(0, 8, (*picture.shape[:2], 1))
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def passed_by(number: int, picture: Picture) -> Picture:
    """Something with detail of its own over a third of the picture, that moves otherwise."""
    height, width = picture.shape[0] * 2 // 3, picture.shape[1] // 2
    board = cv2.resize(np.random.default_rng(0).integers(0, 255, (24, 32, 3), np.uint8), (width, height))
    left = 20 + number * 9
    shown = picture.copy()
    shown[100 : 100 + height, left : left + width] = board[: shown.shape[0] - 100, : shown.shape[1] - left]
    return shown


def together(*paths: Camera) -> Camera:
    """Motions one after the other in each frame; only for pans with zoom."""
    return Camera(
        np.prod([path.scale for path in paths], axis=0),
        np.sum([path.rotation for path in paths], axis=0),
        np.sum([path.tx for path in paths], axis=0),
        np.sum([path.ty for path in paths], axis=0),
    )


CASES = {
    "static": Case("1", camera(FRAMES)),
    "static photo": Case("flower.jpg", camera(FRAMES)),
    "pan": Case("china.jpg", camera(FRAMES, x=5.3, y=-1.1), HD),
    "pan of a texture": Case("2", camera(FRAMES, x=-7.4, y=2.2)),
    "fast pan": Case("flower.jpg", camera(FRAMES, x=17.7)),
    "zoom": Case("china.jpg", camera(FRAMES, zoom=1.006), HD),
    "zoom out of a texture": Case("1", camera(FRAMES, zoom=1 / 1.004)),
    "roll": Case("flower.jpg", camera(FRAMES, roll=0.3)),
    "pan with zoom": Case("2", together(camera(FRAMES, zoom=1.005), camera(FRAMES, x=3.1, y=2.4)), HD),
    "shake": Case("china.jpg", shaken(FRAMES, 5)),
    "shake over a texture": Case("1", shaken(FRAMES, 3, seed=1)),
    "fade": Case("flower.jpg", camera(FRAMES, x=2.5), spoil=faded),
    "noise": Case("china.jpg", camera(FRAMES, x=-3.3, y=1.2), spoil=noisy),
    "foreground": Case("flower.jpg", camera(FRAMES, x=2.2, zoom=1.001), spoil=passed_by),
    "foreground, static": Case("china.jpg", camera(FRAMES), spoil=passed_by),
}


def analysed(file: Path, folder: Path, workers: int = 1, stride: int = 1) -> pa.Table:
    plan = plan_motion(Video(str(file)), MotionParameters(stride=stride))
    return analyse_motion(plan, LocalStore(folder), workers)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, pa.Table]:
    folder = tmp_path_factory.mktemp("clips")
    clips = {
        name: clip(folder / f"{place}.mp4", case.scene, case.path, case.size, case.spoil)
        for place, (name, case) in enumerate(CASES.items())
    }
    return {name: analysed(file, folder / "store") for name, file in clips.items()}


def errors(table: pa.Table, path: Camera) -> Floats:
    """Errors of scale, rotation (degrees) and translation (pixels) of the valid intervals; shape (n, 3)."""
    rows = [row for row in table.to_pylist() if row["valid"]]
    truth = [true_motion(path, row["from_frame"] - 1, row["to_frame"] - 1) for row in rows]
    return np.array(
        [
            (
                abs(row["scale"] - scale),
                np.degrees(abs(row["rotation"] - turn)),
                np.hypot(row["tx"] - x, row["ty"] - y),
            )
            for row, (scale, turn, x, y) in zip(rows, truth, strict=True)
        ]
    )


def test_all_clips_together_are_exact_for_95_of_100_intervals(found: dict[str, pa.Table]) -> None:
    wrong = np.concatenate([errors(found[name], case.path) for name, case in CASES.items()])
    assert len(wrong) == len(CASES) * (FRAMES - 1)
    scale, rotation, translation = np.percentile(wrong, 95, axis=0)
    assert scale < 0.0005
    assert rotation < 0.02
    assert translation < 0.1


@pytest.mark.parametrize("name", CASES)
def test_every_clip_is_exact(found: dict[str, pa.Table], name: str) -> None:
    table = found[name]
    assert table["from_frame"].to_pylist() == list(range(1, FRAMES))
    assert table["valid"].to_pylist() == [True] * (FRAMES - 1)
    scale, rotation, translation = np.percentile(errors(table, CASES[name].path), 95, axis=0)
    assert scale < 0.0005
    assert rotation < 0.02
    assert translation < 0.13


@pytest.mark.parametrize("name", ["static", "static photo"])
def test_a_camera_that_stands_still_is_found_to(found: dict[str, pa.Table], name: str) -> None:
    for row in found[name].to_pylist():
        assert abs(row["scale"] - 1) < 1e-4
        assert np.hypot(row["tx"], row["ty"]) < 0.02
        assert row["confidence"] > 0.9
