"""The whole loop in the image with TensorFlow, which is too large for CI: `make faults` builds and runs it."""

import pytest

from tests.docker_engine import build_image, run_engine
from tests.seldom import SELDOM

IMAGE = "cv-pipelines:cpu"


@SELDOM  # the image is several GB
@pytest.mark.timeout(3000)
def test_the_demo_learns_in_a_container() -> None:
    with run_engine() as engine:
        build_image(engine, "cpu", IMAGE, seconds=2000)

        told = engine.docker("run", "--rm", "--network=host", IMAGE, "cv-pipelines", "demo", seconds=900)

        assert "accuracy" in told
        assert "Report with pictures: /var/lib/cv/" in told
