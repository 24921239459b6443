"""CUDA in a container, with a runtime that does what NVIDIA's does: it puts the driver's library there.

The driver is a stand-in of two functions, and what it says of GPUs is ours to choose.
"""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cv_pipelines.errors import CvError
from cv_pipelines.execution.node_check.docker_engine import count_gpus_in_container, look_at_docker
from tests.installation import missing
from tests.swarm import Swarm, host_mounts, run_swarm

DRIVER = """
#include <stdio.h>
static int read_count(void) {
    int count = -1;
    FILE *file = fopen("/opt/driver/count", "r");
    if (file) { fscanf(file, "%d", &count); fclose(file); }
    return count;
}
int cuInit(unsigned flags) { return read_count() < 0 ? 100 : 0; }
int cuDeviceGetCount(int *count) { *count = read_count(); return 0; }
"""
RUNTIME = """#!{python} -I
import json, os, sys
words = sys.argv[1:]
if "create" in words:
    path = words[words.index("--bundle") + 1] + "/config.json"
    spec = json.load(open(path))
    for source, target in {mounts}:
        spec["mounts"].append(dict(destination=target, type="bind", source=source, options=["rbind", "ro"]))
    spec["process"]["env"] += ["LD_LIBRARY_PATH=/opt/driver", "PATH=/opt/driver:/usr/bin"]
    json.dump(spec, open(path, "w"))
os.execvp("runc", ["runc", *words])
"""


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the stand-in of the driver."""
    if shutil.which("gcc") is None:
        missing("gcc", "apt-get install gcc")
    folder = tmp_path_factory.mktemp("driver")
    (folder / "driver.c").write_text(DRIVER)
    command = ["gcc", "-shared", "-fPIC", "-w", "-o", "libcuda.so.1", "driver.c"]
    subprocess.run(command, cwd=folder, check=True)
    (folder / "python").symlink_to("/usr/bin/python3")
    return folder


@pytest.fixture(scope="module")
def machine(driver: Path) -> Iterator[Swarm]:
    """Daemons that know the runtime."""
    script = driver / "runtime"
    mounts = [tuple(mount.split(":")[:2]) for mount in host_mounts()] + [(str(driver), "/opt/driver")]
    script.write_text(RUNTIME.format(python=sys.executable, mounts=mounts))
    script.chmod(0o755)
    with run_swarm(options=(f"--add-runtime=nvidia={script}",)) as swarm:
        yield swarm


@pytest.fixture
def here(machine: Swarm, monkeypatch: pytest.MonkeyPatch) -> Swarm:
    monkeypatch.setenv("DOCKER_HOST", machine.socket("w1"))
    return machine


def test_gpus_are_counted_and_the_container_is_gone(here: Swarm, driver: Path) -> None:
    assert look_at_docker().runtimes.count("nvidia") == 1
    for number in (0, 2, 16):
        (driver / "count").write_text(str(number))
        assert count_gpus_in_container(here.image) == number
    assert here.apis["w1"].containers(all=True) == []


def test_a_driver_that_does_not_begin_is_told_in_its_words(here: Swarm, driver: Path) -> None:
    (driver / "count").write_text("-1")

    with pytest.raises(CvError, match="CUDA begins with error 100"):
        count_gpus_in_container(here.image)
    assert here.apis["w1"].containers(all=True) == []


def test_an_image_without_python_is_told(here: Swarm, driver: Path) -> None:
    (driver / "python").rename(driver / "snake")
    try:
        with pytest.raises(CvError, match="python"):
            count_gpus_in_container(here.image)
    finally:
        (driver / "snake").rename(driver / "python")
    assert here.apis["w1"].containers(all=True) == []


def test_a_docker_without_the_runtime_is_told(swarm: Swarm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", swarm.socket("w1"))

    with pytest.raises(CvError, match=r"(?i)runtime.*nvidia"):
        count_gpus_in_container(swarm.image)
    assert swarm.apis["w1"].containers(all=True, filters={"status": "created"}) == []
