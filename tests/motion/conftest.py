import os
from pathlib import Path

import pytest

from cv_pipelines.settings import ROOT


@pytest.fixture(scope="session")
def camhd() -> Path:
    """The folder of the published slices, where there is one."""
    places = [os.environ.get("CV_BENCH_DATA", ""), str(ROOT.parent / "shared" / "data")]
    folders = [Path(place, "camhd") for place in places if place and Path(place, "camhd").is_dir()]
    if not folders:
        pytest.skip("neither CV_BENCH_DATA nor ../shared/data has the published slices")
    return folders[0]


@pytest.fixture
def real_video() -> Path:
    """A camera that stands still over cars that pass."""
    places = [os.environ.get("CV_BENCH_DATA", ""), str(ROOT.parent / "shared" / "data")]
    found = [file for place in places if (file := Path(place, "video", "car-detection.mp4")).is_file()]
    if not found:
        pytest.skip("neither CV_BENCH_DATA nor ../shared/data has car-detection.mp4")
    return found[0]
