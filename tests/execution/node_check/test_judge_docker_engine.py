"""What Docker on a machine has to be."""

from dataclasses import replace

import pytest

from cv_pipelines.execution.needs import Needs
from cv_pipelines.execution.node_check.docker_engine import DockerEngine, Image, engine_of
from cv_pipelines.execution.node_check.finding import Finding
from cv_pipelines.execution.node_check.judge_docker_engine import (
    judge_cuda,
    judge_docker,
    judge_image,
    version_of,
    why_no_cuda_check,
)
from cv_pipelines.execution.node_check.probe import Measured
from cv_pipelines.execution.node_check.wanted import StepNeeds

GPU = [StepNeeds("train", "trained_model", Needs(gpus=1))]
PLAIN = [StepNeeds("sync", "image_manifest", Needs())]
GOOD = DockerEngine("20.10.24+dfsg1", "/var/lib/docker", "active", False, 5, False, "nvidia", ("nvidia", "runc"))


def judged(engine: DockerEngine, gpus: int = 2, steps: list[StepNeeds] = GPU) -> dict[str, Finding]:
    return {one.check: one for one in judge_docker(Measured(engine), gpus, steps)}


def test_a_worker_with_two_gpus_is_fit() -> None:
    found = judged(GOOD)

    assert [one.verdict for one in found.values()] == ["ok"] * 4
    assert found["swarm"].found == "worker"
    assert found["GPUs offered"].found == "GPU=5, which is 2 GPUs"
    assert judged(replace(GOOD, is_manager=True))["swarm"].found == "manager"


def test_no_docker_is_one_finding_with_its_words() -> None:
    (finding,) = judge_docker(Measured(None, "Docker does not answer"), 0, PLAIN)

    assert (finding.verdict, finding.found) == ("missing", "Docker does not answer")
    assert "apt-get install" in finding.mend


@pytest.mark.parametrize(
    ("version", "verdict"),
    [("19.03.15", "missing"), ("20.10.0", "ok"), ("27.1.1", "ok"), ("dev", "missing"), ("20.9.9", "missing")],
)
def test_versions(version: str, verdict: str) -> None:
    assert judged(replace(GOOD, version=version))["Docker engine"].verdict == verdict
    assert version_of("28.5.1-ce") == (28, 5)


@pytest.mark.parametrize(
    ("version", "units", "gpus", "verdict", "line"),
    [
        ("20.10.24", 5, 2, "ok", ""),
        ("20.10.24", 2, 2, "missing", '"GPU=5"'),  # what newer engines want
        ("20.10.24", 4, 2, "missing", '"GPU=5"'),  # the edge at which this engine counts wrongly
        ("20.10.24", 0, 2, "missing", '"GPU=5"'),
        ("27.1.1", 2, 2, "ok", ""),
        ("27.1.1", 5, 2, "missing", '"GPU=2"'),
        ("27.1.1", 1, 0, "missing", "no node-generic-resources"),
        ("27.1.1", 0, 0, "ok", ""),
    ],
)
def test_a_node_offers_the_gpus_that_it_has(version: str, units: int, gpus: int, verdict: str, line: str) -> None:
    finding = judged(replace(GOOD, version=version, units=units), gpus)["GPUs offered"]

    assert finding.verdict == verdict
    assert line in finding.mend


def test_gpus_that_no_step_asks_for_may_stay_idle_but_none_may_be_promised() -> None:
    assert judged(replace(GOOD, units=0), 2, PLAIN)["GPUs offered"].verdict == "warning"
    assert judged(replace(GOOD, units=9), 2, PLAIN)["GPUs offered"].verdict == "missing"
    assert judged(replace(GOOD, default_runtime="runc"), 2, PLAIN)["NVIDIA runtime"].verdict == "warning"


def test_gpus_by_names_are_not_what_steps_ask_for() -> None:
    info = {
        "ServerVersion": "27.1.1",
        "DockerRootDir": "/var/lib/docker",
        "Swarm": {"LocalNodeState": "inactive"},
        "GenericResources": [{"NamedResourceSpec": {"Kind": "GPU", "Value": "UUID-1"}}],
    }

    found = judged(engine_of(info), 1)

    assert found["GPUs offered"].verdict == "missing"
    assert "by names" in found["GPUs offered"].found
    assert found["swarm"].verdict == "missing"
    assert "join-command" in found["swarm"].mend


def test_swarm_knows_only_the_default_runtime() -> None:
    there = judged(replace(GOOD, default_runtime="runc"))["NVIDIA runtime"]
    nowhere = judged(replace(GOOD, default_runtime="runc", runtimes=("runc",)))["NVIDIA runtime"]

    assert (there.verdict, '"default-runtime": "nvidia"' in there.mend) == ("missing", True)
    assert (nowhere.verdict, "nvidia-container-toolkit" in nowhere.mend) == ("missing", True)
    assert judged(replace(GOOD, units=0), 0, PLAIN)["NVIDIA runtime"].verdict == "skipped"


def test_labels_that_steps_ask_for_are_told_where_they_can_be_looked_up() -> None:
    steps = [StepNeeds("train", "a", Needs(node_labels=(("kind", "h100"), ("room", "2"))))]

    finding = judged(GOOD, 2, steps)["node labels"]

    assert (finding.needed, finding.verdict) == ("kind=h100, room=2", "skipped")


@pytest.mark.parametrize(
    ("image", "verdict"),
    [
        (Measured(Image(False, True)), "ok"),
        (Measured(Image(True, False, "its registry said nothing")), "warning"),
        (Measured(Image(False, False, "its registry said nothing")), "missing"),
        (Measured(None, "Docker does not answer"), "missing"),
    ],
)
def test_the_image_of_steps(image: Measured[Image], verdict: str) -> None:
    assert judge_image("registry/cv:1", image).verdict == verdict
    assert judge_image("", image).verdict == "skipped"


def test_cuda_is_looked_at_where_everything_for_it_is_there() -> None:
    here = Image(True, True)

    assert why_no_cuda_check(GOOD, "cv:1", here, 2, "550") is None
    reasons = [
        why_no_cuda_check(GOOD, "cv:1", here, 0, ""),
        why_no_cuda_check(GOOD, "cv:1", here, 2, ""),
        why_no_cuda_check(None, "cv:1", here, 2, "550"),
        why_no_cuda_check(replace(GOOD, runtimes=("runc",)), "cv:1", here, 2, "550"),
        why_no_cuda_check(GOOD, "", None, 2, "550"),
        why_no_cuda_check(GOOD, "cv:1", Image(False, True), 2, "550"),
    ]
    assert [one.verdict for one in reasons if one] == ["skipped"] * 5 + ["warning"]


@pytest.mark.parametrize(
    ("seen", "verdict"), [(Measured(2), "ok"), (Measured(1), "missing"), (Measured(None, "no libcuda"), "missing")]
)
def test_cuda_sees_in_a_container_what_the_machine_has(seen: Measured[int], verdict: str) -> None:
    assert judge_cuda(seen, 2).verdict == verdict
