"""What an operator and a node's owner see of a real swarm."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import docker
import pytest
from docker.types import ContainerSpec, Mount, Resources, RestartPolicy, ServiceMode, TaskTemplate

from cv_pipelines.database.engine import SCHEMA, open_database
from tests.installation import Installation, wait_for
from tests.rabbitmq import RabbitMQ
from tests.registry import run_registry
from tests.servers import S3, Postgres
from tests.swarm import Swarm, host_mounts

LABELS = {"cv.run_id": "0123456789abcdef", "cv.step_key": "trained_model"}


@pytest.fixture
def manager(installation: Installation, swarm: Swarm) -> Installation:
    """Commands on the manager."""
    return replace(installation, extra={"DOCKER_HOST": swarm.socket("mgr")})


@pytest.fixture
def worker(
    installation: Installation, swarm: Swarm, postgres: Postgres, s3_server: S3, rabbitmq: RabbitMQ
) -> Installation:
    """Commands on a worker from which everything can be reached."""
    url = postgres.new_database()
    open_database(url).dispose()
    own = {
        "DOCKER_HOST": swarm.socket("w1"),
        "CV_NODE_GPUS": "1",
        "CV_SWARM_IMAGE": swarm.image,
        "CV_DATABASE_URL": url,
        "CV_STORE_URL": s3_server.new_bucket(),
        "CV_RABBITMQ_URL": rabbitmq.new_vhost(),
    }
    return replace(installation, extra={**s3_server.environment, **own})


@contextmanager
def gpu_service(swarm: Swarm, on: str, restart: str = "any", name: str = "gpu-sleeper") -> Iterator[None]:
    """A service like a step's that sleeps; it prefers a node."""
    api = swarm.apis["mgr"]
    mounts = [Mount(target, source, "bind", True) for source, target, *_ in (m.split(":") for m in host_mounts())]
    container = ContainerSpec(
        swarm.image,
        args=["sleep", "600"],
        mounts=mounts,
        labels=LABELS,
        init=True,
        stop_grace_period=1_000_000_000,
    )
    template = TaskTemplate(
        container,
        resources=Resources(generic_resources={"GPU": 2}),
        restart_policy=RestartPolicy(condition=restart, delay=100_000_000),
        placement=docker.types.Placement(constraints=[f"node.hostname == {on}"] if on else []),
    )
    api.create_service(template, name=name, labels=LABELS, mode=ServiceMode("replicated", replicas=1))
    try:
        yield
    finally:
        api.remove_service(name)
        wait_for(lambda: not swarm.containers("cv.step_key"))


def nodes(manager: Installation) -> dict[str, Any]:
    return {one["name"]: one for one in manager.json("node", "list")}


def place_of(swarm: Swarm) -> str | None:
    """The node of the sleeper's container, while it runs."""
    api = swarm.apis["mgr"]
    names = {one["ID"]: one["Description"]["Hostname"] for one in api.nodes()}
    found = [one for one in api.tasks(filters={"service": "gpu-sleeper"}) if one["Status"]["State"] == "running"]
    return names.get(found[0]["NodeID"]) if found else None


def findings(installation: Installation, status: int) -> dict[str, Any]:
    answer = installation.json("node", "check", status=status)
    assert answer["fit"] == (status == 0)
    return {one["check"]: one for one in answer["findings"]}


def test_the_list_shows_who_has_gpus_and_who_uses_them(manager: Installation, swarm: Swarm) -> None:
    before = nodes(manager)
    with gpu_service(swarm, on=""):
        wait_for(lambda: place_of(swarm))
        busy = str(place_of(swarm))
        during, table = nodes(manager), manager.run("node", "list").stdout

    assert {name: (one["role"], one["gpus"], one["gpus_free"]) for name, one in before.items()} == {
        "mgr": ("leader", 0, 0),
        "w1": ("worker", 1, 1),
        "w2": ("worker", 1, 1),
    }
    idle = {"w1": "w2", "w2": "w1"}[busy]
    assert (during[busy]["gpus_used"], during[busy]["gpus_free"]) == (1, 0)
    assert (during[idle]["gpus_used"], during[idle]["gpus_free"]) == (0, 1)
    step = {"run_id": "0123456789abcdef", "step_key": "trained_model", "state": "running", "gpus": 1}
    assert during[busy]["steps"] == [step]
    (line,) = [line for line in table.splitlines() if "trained_model (01234567)" in line]
    assert line.startswith(busy)
    assert before["w1"]["engine"].startswith("20.10")
    assert before["w1"]["memory_gb"] > 0.5


def test_draining_moves_what_runs_and_activating_lets_it_come_back(manager: Installation, swarm: Swarm) -> None:
    try:
        with gpu_service(swarm, on=""):
            wait_for(lambda: place_of(swarm))
            first = str(place_of(swarm))
            second = {"w1": "w2", "w2": "w1"}[first]

            told = manager.run("node", "drain", first).stdout
            wait_for(lambda: place_of(swarm) == second)

            assert "It ran trained_model of run 0123456789abcdef: ended." in told
            assert f"cv-pipelines node activate {first}" in told
            drained = nodes(manager)[first]
            assert (drained["availability"], drained["gpus_free"], drained["steps"]) == ("drain", 0, [])
            assert nodes(manager)[second]["steps"][0]["step_key"] == "trained_model"

            manager.run("node", "activate", first)
            assert (nodes(manager)[first]["availability"], nodes(manager)[first]["gpus_free"]) == ("active", 1)
    finally:
        for name in ("w1", "w2"):
            manager.run("node", "activate", name)


def test_a_step_on_a_drained_node_is_ended_and_left_to_dagster(manager: Installation, swarm: Swarm) -> None:
    try:
        with gpu_service(swarm, on="w1", restart="none"):
            wait_for(lambda: place_of(swarm) == "w1")
            manager.run("node", "drain", "w1")
            wait_for(lambda: place_of(swarm) is None)

            assert nodes(manager)["w1"]["steps"] == []
            assert nodes(manager)["w2"]["steps"] == []
    finally:
        manager.run("node", "activate", "w1")


def test_labels_come_with_the_list(manager: Installation, swarm: Swarm) -> None:
    api = swarm.apis["mgr"]
    identity = nodes(manager)["w2"]["id"]

    def label(labels: dict[str, str]) -> None:
        node = api.inspect_node(identity)
        api.update_node(identity, node["Version"]["Index"], {**node["Spec"], "Labels": labels})

    label({"gpu": "h100"})
    try:
        assert nodes(manager)["w2"]["labels"] == {"gpu": "h100"}
        assert "gpu=h100" in manager.run("node", "list").stdout
        manager.run("node", "drain", "w2")
        assert nodes(manager)["w2"]["labels"] == {"gpu": "h100"}  # what drains leaves the rest as it is
    finally:
        manager.run("node", "activate", "w2")
        label({})


def test_a_node_is_named_well_enough_or_the_answer_says_why_not(manager: Installation, swarm: Swarm) -> None:
    unknown = manager.run("node", "drain", "w3", status=1)
    several = manager.run("node", "drain", "w", status=1)

    assert "no node 'w3'; its nodes are: mgr, w1, w2" in unknown.stderr
    # the manager, too, where its id happens to begin with a w
    assert re.search(r"'w' may be (mgr \(w\w{11}\), )?w1 \(\w{12}\), w2 \(\w{12}\)", several.stderr)
    assert {one["availability"] for one in nodes(manager).values()} == {"active"}


@pytest.mark.parametrize("command", [["list"], ["drain", "w1"], ["join-command"]])
def test_a_worker_says_where_the_manager_is(manager: Installation, swarm: Swarm, command: list[str]) -> None:
    done = replace(manager, extra={"DOCKER_HOST": swarm.socket("w1")}).run("node", *command, status=1)

    assert f"w1 is a worker of its swarm: run this on a manager ({swarm.network}.1)" in done.stderr


def test_the_join_command_has_the_real_token_and_address(manager: Installation, swarm: Swarm) -> None:
    token = swarm.apis["mgr"].inspect_swarm()["JoinTokens"]["Worker"]

    shown = manager.run("node", "join-command", "--gpus", "4").stdout
    as_json = manager.json("node", "join-command", "--gpus", "0")

    assert f"  docker swarm join --token {token} {swarm.network}.1:2377\n" in shown
    assert '  {"default-runtime": "nvidia", "node-generic-resources": ["GPU=9"]}\n' in shown
    assert as_json == {"command": f"docker swarm join --token {token} {swarm.network}.1:2377", "daemon_json": None}


def test_a_machine_joins_by_the_command_and_nothing_else(manager: Installation, swarm: Swarm) -> None:
    worker = nodes(manager)["w2"]["id"]
    swarm.apis["w2"].leave_swarm()
    wait_for(lambda: not swarm.is_ready("w2"))
    outside = replace(manager, extra={"DOCKER_HOST": swarm.socket("w2")})

    assert "in no swarm" in outside.run("node", "list", status=1).stderr
    (found,) = [one for one in outside.json("node", "check", status=1)["findings"] if one["check"] == "swarm"]
    assert (found["verdict"], "join-command" in found["mend"]) == ("missing", True)
    line = manager.json("node", "join-command", "--gpus", "1")["command"]
    subprocess.run(line.split(), env=outside.environment, check=True, capture_output=True)

    wait_for(lambda: swarm.is_ready("w2"))
    swarm.apis["mgr"].remove_node(worker)  # the machine as it was known before
    assert nodes(manager)["w2"]["gpus_free"] == 1


def test_a_worker_that_reaches_everything_is_fit(worker: Installation, swarm: Swarm) -> None:
    found = findings(worker, status=0)

    verdicts = {name: one["verdict"] for name, one in found.items()}
    fit = (
        "CPUs",
        "memory",
        "GPUs",
        "Docker engine",
        "swarm",
        "GPUs offered",
        "database",
        "database schema",
        "clock",
    )
    assert {name: verdicts[name] for name in (*fit, "object store", "broker")} == dict.fromkeys(
        (*fit, "object store", "broker"), "ok"
    )
    assert found["GPUs offered"]["found"] == "GPU=3, which is 1 GPU"
    assert found["swarm"]["found"] == "worker"
    assert found["database schema"]["found"] == SCHEMA
    assert re.fullmatch(r"answers in \d+ ms", found["database"]["found"])
    assert str(swarm.folder / "w1" / "data") in found["disk: Docker"]["found"]
    assert verdicts["image and registry"] == "warning"  # only by its id, on this machine
    assert verdicts["CUDA in a container"] == "skipped"
    assert "Fit for the steps of" in worker.run("node", "check", "--for", "sync").stdout


def test_a_worker_is_told_all_that_it_lacks_and_nothing_else(worker: Installation) -> None:
    broken = {
        "CV_NODE_GPUS": "0",
        "CV_SWARM_IMAGE": "127.0.0.1:9/cv:1",
        "CV_DATABASE_URL": "postgresql://cv@127.0.0.1:9/cv",
        "CV_STORE_URL": "s3://nobody-has-made-this",
        "CV_RABBITMQ_URL": "amqp://cv:cv@127.0.0.1:9/",
    }

    found = findings(replace(worker, extra={**worker.extra, **broken}), status=1)

    mends = {name: one["mend"] for name, one in found.items() if one["verdict"] == "missing"}
    assert list(mends) == ["GPUs offered", "image and registry", "database", "object store", "broker"]
    assert "no node-generic-resources" in mends.pop("GPUs offered")
    for mend, variable in zip(mends.values(), list(broken)[1:], strict=True):
        assert variable in mend


def test_an_image_is_found_in_its_registry(worker: Installation, swarm: Swarm, tmp_path: Path) -> None:
    with run_registry(swarm, tmp_path) as registry:
        api, name = swarm.apis["mgr"], f"{registry}/steps"
        api.tag(swarm.image, name, "1")
        pushed = api.push(name, tag="1")
        assert "digest" in pushed, pushed

        there = replace(worker, extra={**worker.extra, "CV_SWARM_IMAGE": f"{name}:1"})
        other = replace(worker, extra={**worker.extra, "CV_SWARM_IMAGE": f"{name}:2"})

        assert "the registry has it" in findings(there, status=0)["image and registry"]["found"]
        assert findings(other, status=1)["image and registry"]["verdict"] == "missing"
    api.remove_image(f"{name}:1")
