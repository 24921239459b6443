"""A registry of images of a test's own, on the manager of a swarm, where all its nodes expect one."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.installation import answers, missing, wait_for
from tests.swarm import Swarm


@contextmanager
def run_registry(swarm: Swarm, folder: Path) -> Iterator[str]:
    """Start an empty registry, and stop it at the end; yields what names of its images begin with."""
    if shutil.which("docker-registry") is None:
        missing("docker-registry", "apt-get install docker-registry")
    config, log = folder / "registry.yml", folder / "registry.log"
    storage = {"filesystem": {"rootdirectory": str(folder / "registry")}}
    config.write_text(json.dumps({"version": 0.1, "storage": storage, "http": {"addr": swarm.registry}}))
    command = [*swarm.inside("mgr"), "docker-registry", "serve", str(config)]
    with log.open("w") as file:
        process = subprocess.Popen(command, stdout=file, stderr=file)
    try:
        wait_for(lambda: answers(f"http://{swarm.registry}/v2/") or process.poll() is not None, 20)
        assert process.poll() is None, log.read_text()
        yield swarm.registry
    finally:
        process.terminate()
        process.wait(10)
