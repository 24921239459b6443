"""The nodes of a swarm as people look at them. Pure functions of what Docker's API says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cv_pipelines.errors import InputError
from cv_pipelines.execution.engine import RUN, STEP
from cv_pipelines.execution.gpu_resource import asked, discrete_gpus, gpus_of
from cv_pipelines.execution.swarm_spec import offer_of, placement_of

_SHOWN_ID = 12


@dataclass(frozen=True)
class RunningStep:
    """A step that has a container on a node.

    Attributes:
        run_id, step_key: which one.
        state: `preparing` or `running`.
        gpus: that it has.
    """

    run_id: str
    step_key: str
    state: str
    gpus: int


@dataclass(frozen=True)
class NodeView:
    """A node, and what is going on there.

    Attributes:
        id, name: its own.
        state: `ready`, `down`, `unknown` or `disconnected`.
        availability: `active`, `pause` (takes nothing new) or `drain` (has nothing).
        role: `leader`, `manager` or `worker`.
        address: by which the swarm reaches it.
        engine: version of its Docker engine.
        cpus: cores.
        memory_gb: in GB (10⁹ bytes).
        gpus, gpus_used: that it offers altogether, and of these the ones that services have, ours or others.
        labels: its node labels.
        steps: of our runs.
    """

    id: str
    name: str
    state: str
    availability: str
    role: str
    address: str
    engine: str
    cpus: float
    memory_gb: float
    gpus: int
    gpus_used: int
    labels: Mapping[str, str] = field(default_factory=dict)
    steps: Sequence[RunningStep] = ()

    @property
    def gpus_free(self) -> int:
        """GPUs that a step could get now; none on a node that takes no steps."""
        takes_steps = self.state == "ready" and self.availability == "active"
        return max(0, self.gpus - self.gpus_used) if takes_steps else 0


def views_of(
    nodes: Sequence[Mapping[str, Any]], tasks: Sequence[Mapping[str, Any]], engine_version: str
) -> list[NodeView]:
    """All nodes by name, from Swarm's nodes and tasks; `engine_version` is the manager's, who counts GPUs."""
    by_id = {node["ID"]: node for node in nodes}
    alive: dict[str, list[tuple[Mapping[str, Any], str]]] = {name: [] for name in by_id}
    for task in tasks:
        state = placement_of(task, by_id).state
        if state != "over" and task.get("NodeID") in alive:
            alive[task["NodeID"]].append((task, state))
    views = [_view(node, alive[name], engine_version) for name, node in by_id.items()]
    return sorted(views, key=lambda view: (view.name, view.id))


def find_node(views: Sequence[NodeView], wanted: str) -> NodeView:
    """The node of a name or id, or of the only one that begins like this.

    Raises:
        InputError: there is none, or there are several.
    """
    for found in (
        [view for view in views if view.id == wanted],
        [view for view in views if view.name == wanted],
        [view for view in views if wanted and (view.name.startswith(wanted) or view.id.startswith(wanted))],
    ):
        if len(found) == 1:
            return found[0]
        if found:
            names = ", ".join(f"{view.name} ({view.id[:_SHOWN_ID]})" for view in found)
            raise InputError("ambiguous_node", f"'{wanted}' may be {names}: give more of the name, or the id.")
    names = ", ".join(view.name for view in views) or "none"
    raise InputError("no_node", f"The swarm has no node '{wanted}'; its nodes are: {names}.")


def miscounted(views: Sequence[NodeView], engine_version: str) -> list[NodeView]:
    """Nodes with GPUs whose engine counts them in another way than the manager's: see gpu_resource."""
    return [view for view in views if view.gpus and asked(view.engine, 1) != asked(engine_version, 1)]


def _view(node: Mapping[str, Any], alive: Sequence[tuple[Mapping[str, Any], str]], version: str) -> NodeView:
    offer, spec = offer_of(node), node["Spec"]
    is_leader = node.get("ManagerStatus", {}).get("Leader", False)
    steps = [_step(task, state, version) for task, state in alive if RUN in _labels(task)]
    return NodeView(
        id=offer.id,
        name=offer.name,
        state=node["Status"]["State"],
        availability=spec["Availability"],
        role="leader" if is_leader else spec["Role"],
        address=node["Status"].get("Addr", ""),
        engine=node["Description"]["Engine"]["EngineVersion"],
        cpus=offer.cpus,
        memory_gb=offer.memory_gb,
        gpus=offer.gpus,
        gpus_used=sum(_gpus(task, version) for task, _ in alive),
        labels=offer.labels,
        steps=sorted(steps, key=lambda step: (step.run_id, step.step_key)),
    )


def _step(task: Mapping[str, Any], state: str, version: str) -> RunningStep:
    labels = _labels(task)
    return RunningStep(labels[RUN], labels.get(STEP, ""), state, _gpus(task, version))


def _labels(task: Mapping[str, Any]) -> Mapping[str, str]:
    return task["Spec"].get("ContainerSpec", {}).get("Labels") or {}


def _gpus(task: Mapping[str, Any], version: str) -> int:
    reserved = task["Spec"].get("Resources", {}).get("Reservations", {}).get("GenericResources")
    return gpus_of(version, discrete_gpus(reserved or ()))
