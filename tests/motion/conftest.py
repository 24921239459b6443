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
