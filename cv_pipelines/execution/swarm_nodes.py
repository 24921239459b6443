"""What an operator does with the nodes of a swarm, by way of a manager's Docker daemon."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import docker
from docker.errors import APIError

from cv_pipelines.execution.docker_api import explained, open_api
from cv_pipelines.execution.engine import EngineRefusedError
from cv_pipelines.execution.node_view import NodeView, find_node, views_of

_PORT = 2377
_TRIES = 5
_CHANGED_MEANWHILE = "out of sequence"


@dataclass(frozen=True)
class Invitation:
    """What a machine needs to become a worker.

    Attributes:
        command: the whole line for it; it holds a secret.
        engine_version: of the manager.
    """

    command: str
    engine_version: str


class SwarmNodes:
    """The nodes of the swarm whose manager DOCKER_HOST leads to.

    Every method raises EngineRefusedError where it leads to no manager, EngineUnreachableError where to nothing.
    """

    @cached_property
    def _api(self) -> docker.APIClient:
        return open_api()

    @cached_property
    def engine_version(self) -> str:
        """Of the manager."""
        return str(self._info["ServerVersion"])

    def views(self) -> list[NodeView]:
        """All nodes with what goes on there, by name."""
        version = self.engine_version
        with explained("list nodes"):
            nodes = self._api.nodes()
            return views_of(nodes, self._api.tasks(), version)

    def invitation(self) -> Invitation:
        """How a machine joins as a worker."""
        swarm = self._info["Swarm"]
        with explained("tell the token for workers"):
            token = self._api.inspect_swarm()["JoinTokens"]["Worker"]
        port = next((_port(one) for one in swarm["RemoteManagers"] if one["NodeID"] == swarm["NodeID"]), _PORT)
        address = _bracketed(swarm["NodeAddr"])
        return Invitation(f"docker swarm join --token {token} {address}:{port}", self.engine_version)

    def set_availability(self, wanted: str, availability: str) -> NodeView:
        """Drain a node (`drain`) or let it take steps (`active`); returns it as it was before.

        Args:
            wanted: its name or id, or how one of them begins.
            availability: in Swarm's words.

        Raises:
            InputError: there is no such node, or several.
        """
        view = find_node(self.views(), wanted)
        with explained(f"change the node {view.name}"):
            for further in reversed(range(_TRIES)):
                node = self._api.inspect_node(view.id)
                spec = {**node["Spec"], "Availability": availability}
                try:
                    self._api.update_node(view.id, node["Version"]["Index"], spec)
                except APIError as error:
                    if not further or _CHANGED_MEANWHILE not in str(error.explanation):
                        raise
                else:
                    break
        return view

    @cached_property
    def _info(self) -> Mapping[str, Any]:
        with explained("say what it is"):
            info: dict[str, Any] = self._api.info()
        swarm = info["Swarm"]
        if swarm["LocalNodeState"] != "active":
            how = "'docker swarm init' on the first machine makes one; 'cv-pipelines node join-command' there"
            message = f"Docker on {info['Name']} is in no swarm: {how} says how others join."
            raise EngineRefusedError("no_swarm", message)
        if not swarm["ControlAvailable"]:
            managers: Sequence[Mapping[str, str]] = swarm.get("RemoteManagers") or ()
            where = ", ".join(one["Addr"].rpartition(":")[0] for one in managers) or "another machine"
            message = (
                f"{info['Name']} is a worker of its swarm: run this on a manager ({where}), or set DOCKER_HOST."
            )
            raise EngineRefusedError("no_manager", message)
        return info


def _port(manager: Mapping[str, str]) -> int:
    return int(manager["Addr"].rpartition(":")[2])


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address
