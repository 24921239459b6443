"""The swarm that other tests stand on: it does what it says, and nothing of it is left."""

import os
import subprocess
from pathlib import Path

import psutil
from docker.types import ContainerSpec, Mount, Resources, RestartPolicy, ServiceMode, TaskTemplate

from tests.installation import wait_for
from tests.swarm import NODES, WORKERS, Swarm, host_mounts, run_swarm

LABEL = {"cv-test": "sleeper"}


def start_gpu_service(swarm: Swarm) -> None:
    mounts = [Mount(target, source, "bind", True) for source, target, *_ in (m.split(":") for m in host_mounts())]
    container = ContainerSpec(swarm.image, args=["sleep", "600"], mounts=mounts, labels=LABEL, init=True)
    template = TaskTemplate(
        container,
        resources=Resources(generic_resources={"GPU": 2}),
        restart_policy=RestartPolicy(condition="none"),
    )
    swarm.apis["mgr"].create_service(template, name="sleeper", mode=ServiceMode("replicated", replicas=1))


def place_of(swarm: Swarm) -> str:
    """The only node that has a container of the service."""
    wait_for(lambda: swarm.containers("cv-test"))
    (node,) = swarm.containers("cv-test")
    return node


def runs(swarm: Swarm, node: str) -> bool:
    """Whether the service's container runs there, as its own daemon says."""
    return bool(swarm.apis[node].containers(filters={"label": "cv-test", "status": "running"}))


def traces(swarm: Swarm) -> list[str]:
    """What there is of a swarm on this machine."""
    space = f"cv{swarm._id}-"
    found = [line for line in _ip("netns", "list") if space in line]
    found += [line for line in _ip("-o", "link") if f"h{swarm._id}" in line]
    found += [str(path) for path in Path("/sys/fs/cgroup").glob(f"*/{space}*")]
    found += [str(path) for path in Path("/sys/fs/cgroup").glob(f"{space}*")]
    found += [line for line in Path("/proc/mounts").read_text().splitlines() if str(swarm.folder) in line]
    own = os.getpid()
    for process in psutil.process_iter(["pid", "cmdline"]):
        words = " ".join(process.info["cmdline"] or ())
        if str(swarm.folder) in words and process.info["pid"] != own:
            found.append(words)
    return [*found, *([str(swarm.folder)] if swarm.folder.exists() else [])]


def _ip(*arguments: str) -> list[str]:
    return subprocess.run(["ip", *arguments], capture_output=True, text=True, check=True).stdout.splitlines()


def test_a_swarm_lives_fails_as_told_and_leaves_nothing() -> None:
    with run_swarm() as swarm:
        assert len([line for line in traces(swarm) if "dockerd" in line]) >= len(NODES)
        start_gpu_service(swarm)
        node = place_of(swarm)
        assert node in WORKERS  # the manager has no GPU
        wait_for(lambda: runs(swarm, node))
        assert swarm.processes(node)
        assert any(one.startswith("/sys/fs/cgroup") for one in traces(swarm))

        swarm.cut(node)
        wait_for(lambda: not swarm.is_ready(node))
        assert runs(swarm, node)  # it works on, where nobody hears of it
        swarm.heal(node)
        wait_for(lambda: swarm.is_ready(node))
        wait_for(lambda: not runs(swarm, node))  # the swarm had given it up
        swarm.apis["mgr"].remove_service("sleeper")
        wait_for(lambda: not swarm.containers("cv-test"))

        start_gpu_service(swarm)
        node = place_of(swarm)
        wait_for(lambda: bool(swarm.processes(node)))
        swarm.kill(node)
        assert swarm.processes(node) == []
        wait_for(lambda: not swarm.is_ready(node))
        swarm.start(node)
        wait_for(lambda: swarm.is_ready(node))

        swarm.restart_daemon("mgr")
        wait_for(lambda: all(swarm.is_ready(one) for one in NODES))
        swarm.apis["mgr"].remove_service("sleeper")
        start_gpu_service(swarm)
        wait_for(lambda: any(swarm.processes(one) for one in WORKERS))  # there is something to be left

    assert traces(swarm) == []


def test_a_swarm_whose_test_fails_leaves_nothing_either() -> None:
    kept: list[Swarm] = []
    try:
        with run_swarm() as swarm:
            kept.append(swarm)
            swarm.cut("w1")
            swarm.kill("w2")
            raise RuntimeError("the test failed")
    except RuntimeError:
        assert traces(kept[0]) == []
    else:
        raise AssertionError("nothing was raised")
