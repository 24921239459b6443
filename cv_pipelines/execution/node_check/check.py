"""Whether this machine can be a worker node: all looks at once, then what they mean."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from cv_pipelines.execution.node_check import docker_engine, hardware, services
from cv_pipelines.execution.node_check.finding import Finding
from cv_pipelines.execution.node_check.judge_docker_engine import (
    judge_cuda,
    judge_docker,
    judge_image,
    why_no_cuda_check,
)
from cv_pipelines.execution.node_check.judge_hardware import judge_disk, judge_gpus, judge_machine
from cv_pipelines.execution.node_check.judge_services import (
    is_for_many,
    judge_broker,
    judge_database,
    judge_store,
)
from cv_pipelines.execution.node_check.probe import SECONDS, Measured, Probe
from cv_pipelines.execution.node_check.wanted import StepNeeds
from cv_pipelines.progress import Progress, silent
from cv_pipelines.settings import Settings, SwarmSettings

_GRACE_SECONDS = 1.0
"""For a look that has a limit of its own to say itself what is wrong."""
_NOT_LOOKED: Measured[float] = Measured(None)


def check_node(
    settings: Settings, swarm: SwarmSettings, steps: Sequence[StepNeeds], progress: Progress = silent
) -> list[Finding]:
    """Look at this machine and at what it reaches; takes some seconds, at most a minute with GPUs.

    Args:
        settings: where database, store and broker are.
        swarm: the image of steps.
        steps: that it is to run.
        progress: told what is looked at.
    """
    docker = Probe(docker_engine.look_at_docker, 2 * SECONDS + _GRACE_SECONDS)
    image = Probe(partial(docker_engine.look_at_image, swarm.image, SECONDS), 2 * SECONDS + _GRACE_SECONDS)
    gpus = Probe(hardware.look_at_gpus)
    machine = Probe(hardware.look_at_machine)
    state = Probe(partial(hardware.free_gb, settings.state))
    around = _Services(settings)
    progress("hardware", 0, 4)
    findings = judge_machine(machine.result(), steps)
    findings += [judge_disk("state", str(settings.state), state.result()), *judge_gpus(gpus.result(), steps)]
    progress("Docker", 1, 4)
    has = gpus.result().value or hardware.Gpus()
    findings += judge_docker(docker.result(), has.count, steps)
    findings += _docker_disk(docker.result())
    findings.append(judge_image(swarm.image, image.result()))
    progress("services", 2, 4)
    findings += around.findings()
    progress("CUDA in a container", 3, 4)
    skipped = why_no_cuda_check(docker.result().value, swarm.image, image.result().value, has.count, has.driver)
    return [*findings, skipped or _cuda(swarm.image, has.count)]


class _Services:
    """Looks at what steps need beside their node; those of this machine alone get none."""

    def __init__(self, settings: Settings) -> None:
        self._urls = settings.database, settings.store, settings.rabbitmq_url
        database, store, broker = self._urls
        limit = SECONDS + _GRACE_SECONDS
        look = partial(services.look_at_database, database, SECONDS)
        self._database = Probe(look, limit) if is_for_many(database) else None
        self._store = Probe(partial(services.look_at_store, store), limit) if is_for_many(store) else None
        self._broker = Probe(partial(services.look_at_broker, broker), limit) if broker else None

    def findings(self) -> list[Finding]:
        """Wait for them."""
        database, store, broker = self._urls
        return [
            *judge_database(database, self._database.result() if self._database else Measured(None)),
            judge_store(store, self._store.result() if self._store else _NOT_LOOKED),
            judge_broker(broker, self._broker.result() if self._broker else _NOT_LOOKED),
        ]


def _docker_disk(docker: Measured[docker_engine.DockerEngine]) -> list[Finding]:
    if docker.value is None:
        return []
    root = docker.value.data_root
    return [judge_disk("Docker", root, Probe(partial(hardware.free_gb, Path(root))).result())]


def _cuda(image: str, gpus: int) -> Finding:
    look = partial(docker_engine.count_gpus_in_container, image)
    return judge_cuda(Probe(look, docker_engine.CUDA_SECONDS).result(), gpus)
