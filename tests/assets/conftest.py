from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from dagster import DagsterInstance

from cv_pipelines.motion.settings import load_motion_settings
from cv_pipelines.settings import load_settings
from tests.assets.motion_runs import Archive
from tests.motion.clips import Camera, Picture, camera, scene_of, views, write_clip

SIZE = (320, 180)
REST, PAN = 280, 120
"""Frames of each."""


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Archive]:
    """An archive with nothing in it; settings are those of the test."""
    monkeypatch.setenv("CV_STATE", str(tmp_path / "state"))
    for settings in (load_settings, load_motion_settings):
        settings.cache_clear()
    with DagsterInstance.ephemeral() as instance:
        yield Archive(tmp_path / "state", instance)
    for settings in (load_settings, load_motion_settings):
        settings.cache_clear()


def _path() -> Camera:
    rest, pan = camera(REST), camera(PAN, x=-3.0)
    return Camera(*(np.concatenate([getattr(part, name) for part in (rest, pan)]) for name in vars(rest)))


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The camera rests for 280 frames, then it pans to the east for 120; two chunks."""
    file = tmp_path_factory.mktemp("clips") / "rest-and-pan.mp4"
    pictures = views(scene_of("4", *SIZE), _path(), *SIZE)
    return write_clip(file, pictures, options={"g": "125", "preset": "veryfast"})


@pytest.fixture(scope="session")
def dark_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nothing is seen in the last half."""
    file = tmp_path_factory.mktemp("clips") / "dark.mp4"

    def pictures() -> Iterator[Picture]:
        yield from views(scene_of("5", *SIZE), camera(40), *SIZE)
        yield from (np.zeros((SIZE[1], SIZE[0], 3), np.uint8) for _ in range(40))

    return write_clip(file, pictures(), options={"preset": "veryfast"})
