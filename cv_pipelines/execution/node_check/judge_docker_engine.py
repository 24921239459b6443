"""Whether Docker on a machine can take our steps. Pure."""

import re
from collections.abc import Sequence

from cv_pipelines.execution.gpu_resource import KIND, gpus_of, offered
from cv_pipelines.execution.node_check.docker_engine import DockerEngine, Image
from cv_pipelines.execution.node_check.finding import Finding, Verdict, in_words
from cv_pipelines.execution.node_check.probe import Measured
from cv_pipelines.execution.node_check.wanted import StepNeeds, most

OLDEST = (20, 10)
_NVIDIA = "nvidia"
_INSTALL = "Install Docker (apt-get install docker.io), start it, and run this as root or in the group docker."
_JOIN = "Run 'cv-pipelines node join-command' on a manager, and what it says here."
_DAEMON = "Set {} in /etc/docker/daemon.json, then 'systemctl restart docker'."
_TOOLKIT = (
    "Install nvidia-container-toolkit, then 'nvidia-ctk runtime configure --runtime=docker --set-as-default'."
)


def judge_docker(docker: Measured[DockerEngine], gpus: int, steps: Sequence[StepNeeds]) -> list[Finding]:
    """The engine, its swarm, and how it offers GPUs.

    Args:
        docker: what it says of itself.
        gpus: that the machine has.
        steps: that it is to run.
    """
    oldest = ".".join(map(str, OLDEST))
    if docker.value is None:
        return [Finding("Docker engine", docker.problem, f"{oldest} or newer", "missing", _INSTALL)]
    engine, wants_gpus = docker.value, bool(most(steps, lambda needs: needs.gpus).amount)
    is_new = version_of(engine.version) >= OLDEST
    mend = "" if is_new else "Update Docker."
    version = Finding("Docker engine", engine.version, f"{oldest} or newer", "ok" if is_new else "missing", mend)
    offers = [_declared(engine, gpus, wants_gpus), _runtime(engine, gpus, wants_gpus)]
    return [version, _swarm(engine), *_labels(steps), *offers]


def judge_image(name: str, image: Measured[Image]) -> Finding:
    """Whether this machine can get the image of steps."""
    check, needed = "image and registry", name
    if not name:
        found = "CV_SWARM_IMAGE is not set: steps take the image of their run's container"
        return Finding(check, found, "nothing", "skipped")
    if image.value is None:
        return Finding(check, image.problem, needed, "missing", "See what is said of Docker.")
    has = image.value
    if has.in_registry:
        return Finding(check, f"the registry has it, answered in {image.seconds:.2f} s", needed, "ok")
    mend = "Check the name in CV_SWARM_IMAGE, the network, and 'docker login'; see that 'docker pull' gets it."
    if has.is_here:
        return Finding(check, f"it is here, but {has.problem}", needed, "warning", mend)
    return Finding(check, has.problem, needed, "missing", mend)


def why_no_cuda_check(
    docker: DockerEngine | None, image: str, here: Image | None, gpus: int, driver: str
) -> Finding | None:
    """Why CUDA in a container is not looked at; None where it can be."""
    check, needed = "CUDA in a container", in_words(gpus) if gpus else "nothing"
    if not gpus or not driver:
        return Finding(check, "there is no GPU with a driver", needed, "skipped")
    if docker is None or _NVIDIA not in docker.runtimes:
        return Finding(check, "Docker has no NVIDIA runtime", needed, "skipped")
    if not image:
        return Finding(check, "CV_SWARM_IMAGE is not set", needed, "skipped")
    if here is None or not here.is_here:
        mend = f"Fetch it: docker pull {image}"
        return Finding(check, f"the image {image} is not on this machine yet", needed, "warning", mend)
    return None


def judge_cuda(seen: Measured[int], gpus: int) -> Finding:
    """Whether CUDA sees in a container what the machine has."""
    check, needed = "CUDA in a container", in_words(gpus)
    mend = f"{_TOOLKIT} Then try: docker run --rm --runtime=nvidia IMAGE nvidia-smi"
    if seen.value is None:
        return Finding(check, seen.problem, needed, "missing", mend)
    verdict: Verdict = "ok" if seen.value >= gpus else "missing"
    found = f"{in_words(seen.value)}, after {seen.seconds:.1f} s"
    return Finding(check, found, needed, verdict, "" if verdict == "ok" else mend)


def version_of(text: str) -> tuple[int, int]:
    """Of `20.10.24+dfsg1` the first two numbers; zeros where there are none."""
    found = re.match(r"(\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _swarm(engine: DockerEngine) -> Finding:
    needed = "member of a swarm"
    if engine.swarm != "active":
        return Finding("swarm", f"in none ({engine.swarm or 'inactive'})", needed, "missing", _JOIN)
    return Finding("swarm", "manager" if engine.is_manager else "worker", needed, "ok")


def _labels(steps: Sequence[StepNeeds]) -> list[Finding]:
    """Only managers know what labels a node has."""
    wanted = dict.fromkeys(f"{name}={value}" for step in steps for name, value in step.needs.node_labels)
    if not wanted:
        return []
    mend = "On a manager: docker node update --label-add NAME=VALUE NODE"
    found = "managers know them: see 'cv-pipelines node list'"
    return [Finding("node labels", found, ", ".join(wanted), "skipped", mend)]


def _declared(engine: DockerEngine, gpus: int, wants_gpus: bool) -> Finding:
    """Too few declared leave GPUs idle; too many promise steps what is not there."""
    right = offered(engine.version, gpus)
    needed = f"{KIND}={right}, for {in_words(gpus)}" if gpus else "none"
    count = gpus_of(engine.version, engine.units)
    found = f"{KIND}={engine.units}, which is {in_words(count)}" if engine.units else "none"
    if engine.has_named_gpus:
        found = "GPUs by names, which steps do not ask for"
    elif engine.units == right:
        return Finding("GPUs offered", found, needed, "ok")
    line = f'"node-generic-resources": ["{KIND}={right}"]' if gpus else "no node-generic-resources"
    verdict: Verdict = "missing" if wants_gpus or count > gpus else "warning"
    return Finding("GPUs offered", found, needed, verdict, _DAEMON.format(line))


def _runtime(engine: DockerEngine, gpus: int, wants_gpus: bool) -> Finding:
    """Swarm knows only the default runtime."""
    found = f"{', '.join(engine.runtimes)}; by default {engine.default_runtime}"
    if not gpus:
        return Finding("NVIDIA runtime", found, "nothing", "skipped")
    if engine.default_runtime == _NVIDIA:
        return Finding("NVIDIA runtime", found, "by default", "ok")
    has_it = _NVIDIA in engine.runtimes
    mend = _DAEMON.format(f'"default-runtime": "{_NVIDIA}"') if has_it else _TOOLKIT
    return Finding("NVIDIA runtime", found, "by default", "missing" if wants_gpus else "warning", mend)
