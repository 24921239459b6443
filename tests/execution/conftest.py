import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.execution.worker_nodes import WorkerNodes, run_platform
from tests.swarm import Swarm


@pytest.fixture(scope="session")
def fake_platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorkerNodes]:
    """A platform whose nodes are made up."""
    with run_platform(None, tmp_path_factory.mktemp("platform")) as one:
        yield one


@pytest.fixture(params=["swarm" if shutil.which("dockerd") or os.environ.get("CI") else "fake"])
def anywhere(request: pytest.FixtureRequest) -> WorkerNodes:
    """A platform on a real swarm; on nodes that are made up where there is no Docker."""
    one: WorkerNodes = request.getfixturevalue("fake_platform" if request.param == "fake" else "platform")
    return one


@pytest.fixture(scope="session")
def platform(swarm: Swarm, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorkerNodes]:
    """A platform for all tests that leave its nodes as they were."""
    folder = tmp_path_factory.mktemp("platform")
    for parent in folder.parents[:2]:  # pytest lets nobody else in
        Path(parent).chmod(0o755)
    with run_platform(swarm, folder) as one:
        yield one
