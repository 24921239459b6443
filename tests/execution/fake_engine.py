"""An engine without Docker: services are processes of this machine, nodes are made up."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dagster import Executor, InitExecutorContext, executor
from dagster._core.definitions.executor_definition import multiple_process_executor_requirements

from cv_pipelines.database.engine import open_database
from cv_pipelines.execution.engine import LEASE, RUN, EngineRefusedError, NodeOffer, Placement, Service
from cv_pipelines.execution.swarm_executor import SwarmExecutor
from cv_pipelines.execution.swarm_handler import SwarmStepHandler
from cv_pipelines.settings import load_settings, load_swarm_settings

WORKERS = ("w1", "w2")


@dataclass
class _Running:
    service: Service
    node: str | None = None
    process: "subprocess.Popen[bytes] | None" = None


class FakeEngine:
    """Two nodes with a GPU each. What it keeps to is what `Engine` says; the conformance tests run on both."""

    def __init__(self) -> None:
        self._services: dict[str, _Running] = {}

    def digest_of(self, image: str) -> str:
        return image

    def create(self, service: Service) -> None:
        known = self._services.get(service.name)
        if known is not None and known.service.labels[LEASE] != service.labels[LEASE]:
            raise EngineRefusedError("name_taken", f"There is a service '{service.name}' already.")
        self._services.setdefault(service.name, _Running(service))
        self._schedule()

    def placements(self, run_id: str) -> Mapping[str, Sequence[Placement]]:
        self._schedule()
        mine = {name: one for name, one in self._services.items() if one.service.labels[RUN] == run_id}
        return {name: [_placement(one)] for name, one in mine.items()}

    def services(self) -> Mapping[str, str]:
        return {name: one.service.labels[RUN] for name, one in self._services.items()}

    def remove(self, name: str) -> None:
        one = self._services.pop(name, None)
        if one is not None and one.process is not None and one.process.poll() is None:
            one.process.terminate()  # its guard is told to stop
            one.process.wait(10)

    def last_lines(self, name: str, lines: int) -> str:
        return ""

    def run_containers(self) -> Mapping[str, str]:
        return {}

    def remove_container(self, name: str) -> None:
        raise EngineRefusedError("no_container", f"There is no container '{name}'.")

    def nodes(self) -> Sequence[NodeOffer]:
        return [NodeOffer(name, f"id-{name}", True, 1, 16.0, 4.0) for name in WORKERS]

    def _schedule(self) -> None:
        for one in self._services.values():
            if one.process is None:
                one.node = self._free_node(one.service.gpus)
                if one.node is not None:
                    one.process = _start(one.service, one.node)

    def _free_node(self, gpus: int) -> str | None:
        live = [one for one in self._services.values() if one.process is not None and one.process.poll() is None]
        for node in WORKERS:
            used = sum(one.service.gpus for one in live if one.node == node)
            if used + gpus <= 1:
                return node
        return None


def _start(service: Service, node: str) -> "subprocess.Popen[bytes]":
    own = dict(service.environment) | {"CV_NODE": node, "CV_NODE_ID": f"id-{node}"}
    command = [sys.executable if service.command[0] == "python" else service.command[0], *service.command[1:]]
    return subprocess.Popen(
        command,
        env={"PATH": os.environ["PATH"], **own},
        cwd="/",
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _placement(one: _Running) -> Placement:
    if one.process is None:
        return Placement("waiting", message="no suitable node (insufficient resources on 2 nodes)")
    code = one.process.poll()
    if code is None:
        return Placement("running", one.node)
    return Placement("over", one.node, message=f"non-zero exit ({code})", exit_code=code)


@executor(name="fake", requirements=multiple_process_executor_requirements())
def fake_executor(_: InitExecutorContext) -> Executor:
    """The executor of worker nodes, on the made-up engine."""
    database = open_database(load_settings().database)
    return SwarmExecutor(SwarmStepHandler(FakeEngine(), database, load_swarm_settings()))
