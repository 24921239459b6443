"""What the executor asks of whatever runs containers on worker nodes; Docker Swarm is one, tests have another."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from cv_pipelines.errors import InfrastructureError, InputError

RUN, STEP, LEASE = "cv.run_id", "cv.step_key", "cv.lease"
"""Labels of our services: by them they are found, compared, and removed."""


class EngineUnreachableError(InfrastructureError):
    """The engine does not answer, or only with an error of its own: ask again."""


class EngineRefusedError(InputError):
    """The engine does not want what it is asked for, and will not: its words are in the message."""


@dataclass(frozen=True)
class Service:
    """One attempt at a step, as a container to be.

    Attributes:
        name: the lease's id.
        image: by digest where the registry gives one.
        command: of the container.
        environment: variables, by name.
        labels: of the service and of its container; nothing secret.
        gpus: how many.
        memory_gb: limit and reservation, in GB (10⁹ bytes); None: whatever there is.
        cpus: limit and reservation; None: whatever there are.
        constraints: where it may run, in Swarm's words.
        networks, mounts, secrets: names of networks and secrets; mounts as `source:target[:ro]`.
    """

    name: str
    image: str
    command: Sequence[str]
    environment: Mapping[str, str]
    labels: Mapping[str, str]
    gpus: int = 0
    memory_gb: float | None = None
    cpus: float | None = None
    constraints: Sequence[str] = ()
    networks: Sequence[str] = ()
    mounts: Sequence[str] = ()
    secrets: Sequence[str] = ()


@dataclass(frozen=True)
class Placement:
    """What the engine says of one container of a service.

    Attributes:
        state: `waiting` (for a node), `preparing` (its image is pulled), `running`, or `over`.
        node: name of its node, once it has one.
        node_is_up: whether the engine hears of that node; where it does not, no state is certain.
        message: why it waits, or how it ended.
        exit_code: once it is over.
    """

    state: str
    node: str | None = None
    node_is_up: bool = True
    message: str = ""
    exit_code: int | None = None


@dataclass(frozen=True)
class NodeOffer:
    """What a node has for steps.

    Attributes:
        name, id: its own.
        is_open: ready, and not drained.
        gpus: that it offers altogether.
        memory_gb: in GB (10⁹ bytes).
        cpus: cores.
        labels: its node labels.
    """

    name: str
    id: str
    is_open: bool
    gpus: int
    memory_gb: float
    cpus: float
    labels: Mapping[str, str] = field(default_factory=dict)


class Engine(Protocol):
    """Every call answers within seconds, or raises EngineUnreachableError."""

    def digest_of(self, image: str) -> str:
        """The image by its digest, so that all nodes take the same one; as it is where nobody knows a digest."""

    def create(self, service: Service) -> None:
        """Have it run; one of this name and lease that is there already is that one.

        Raises:
            EngineRefusedError: there is something wrong with it.
        """

    def placements(self, run_id: str) -> Mapping[str, Sequence[Placement]]:
        """The services of a run by name, with their containers, newest first; none while it is just being made."""

    def services(self) -> Mapping[str, str]:
        """Names of all our services, with the ids of their runs."""

    def remove(self, name: str) -> None:
        """End it; one that is not there is gone already."""

    def last_lines(self, name: str, lines: int) -> str:
        """What the containers of a service have written last. It may take long, whatever is said above."""

    def run_containers(self) -> Mapping[str, str]:
        """Containers in which runs themselves execute, on the engine's own host, with the ids of their runs."""

    def remove_container(self, name: str) -> None:
        """Kill and remove such a container."""

    def nodes(self) -> Sequence[NodeOffer]:
        """All nodes, those that are down, too."""
