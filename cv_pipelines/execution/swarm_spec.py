"""Between our words and the ones of Docker Swarm's API; pure functions."""

from collections.abc import Mapping
from typing import Any

from docker.types import (
    ContainerSpec,
    Mount,
    NetworkAttachmentConfig,
    Resources,
    RestartPolicy,
    SecretReference,
    TaskTemplate,
)
from docker.types import (
    Placement as SwarmPlacement,
)

from cv_pipelines.errors import InputError
from cv_pipelines.execution.engine import NodeOffer, Placement, Service
from cv_pipelines.execution.gpu_resource import KIND, asked, discrete_gpus, gpus_of

_STOP_SECONDS = 5
"""Between SIGTERM and SIGKILL for a container; its guard needs a moment to kill the step and say so."""
_GB = 1_000_000_000
_STATES = {
    "waiting": ("new", "allocated", "pending"),
    "preparing": ("assigned", "accepted", "preparing", "ready", "starting"),
    "running": ("running",),
}
_LIVE_STATES = {theirs: ours for ours, all_theirs in _STATES.items() for theirs in all_theirs}


def task_template(service: Service, engine_version: str, secret_ids: Mapping[str, str]) -> TaskTemplate:
    """The template of a service's one task.

    Args:
        service: what is wanted.
        engine_version: of the manager, such as `20.10.24`.
        secret_ids: ids of secrets by name.
    """
    container = ContainerSpec(
        service.image,
        args=list(service.command),
        env=[f"{name}={value}" for name, value in service.environment.items()],
        labels=dict(service.labels),
        mounts=[mount_of(text) for text in service.mounts],
        secrets=[SecretReference(secret_ids[name], name) for name in service.secrets],
        stop_grace_period=_STOP_SECONDS * 1_000_000_000,
        init=True,
    )
    memory = int(service.memory_gb * _GB) if service.memory_gb else None
    cpus = int(service.cpus * 1e9) if service.cpus else None
    return TaskTemplate(
        container,
        resources=Resources(
            cpu_limit=cpus,
            cpu_reservation=cpus,
            mem_limit=memory,
            mem_reservation=memory,
            generic_resources={KIND: asked(engine_version, service.gpus)} if service.gpus else None,
        ),
        restart_policy=RestartPolicy(condition="none"),
        placement=SwarmPlacement(constraints=list(service.constraints)),
        networks=[NetworkAttachmentConfig(name) for name in service.networks] or None,
    )


def mount_of(text: str) -> Mount:
    """A mount from `source:target` or `source:target:ro`; a source that is a path is bound, else a volume.

    Raises:
        InputError: it is neither.
    """
    parts = text.split(":")
    if len(parts) not in (2, 3) or not parts[0] or not parts[1].startswith("/") or parts[2:] not in ([], ["ro"]):
        message = f"'{text}' is not SOURCE:TARGET or SOURCE:TARGET:ro, with TARGET a path. Check CV_SWARM_MOUNTS."
        raise InputError("mount", message)
    kind = "bind" if parts[0].startswith("/") else "volume"
    return Mount(parts[1], parts[0], type=kind, read_only=parts[2:] == ["ro"])


def placement_of(task: Mapping[str, Any], nodes: Mapping[str, Mapping[str, Any]]) -> Placement:
    """What one task of Swarm's says; `nodes` by their ids."""
    status = task["Status"]
    node = nodes.get(task.get("NodeID", ""))
    is_heard_of = node is not None and node["Status"]["State"] == "ready"
    state = _LIVE_STATES.get(status["State"], "over")
    return Placement(
        state=state,
        node=node["Description"].get("Hostname") if node else None,
        node_is_up=is_heard_of or not task.get("NodeID"),  # one that was removed from the swarm may live on
        message=status.get("Err") or status.get("Message", ""),
        exit_code=status.get("ContainerStatus", {}).get("ExitCode") if state == "over" else None,
    )


def has_joined(node: Mapping[str, Any]) -> bool:
    """Whether a node has told of itself; one whose joining was cut off is in the list, and nothing else."""
    return bool(node["Description"].get("Engine", {}).get("EngineVersion"))


def offer_of(node: Mapping[str, Any]) -> NodeOffer:
    """What one node of Swarm's has for steps."""
    described = node["Description"]
    resources, engine = described["Resources"], described["Engine"]["EngineVersion"]
    return NodeOffer(
        name=described["Hostname"],
        id=node["ID"],
        is_open=node["Status"]["State"] == "ready" and node["Spec"]["Availability"] == "active",
        gpus=gpus_of(engine, discrete_gpus(resources.get("GenericResources") or ())),
        memory_gb=resources["MemoryBytes"] / _GB,
        cpus=resources["NanoCPUs"] / 1e9,
        labels=node["Spec"].get("Labels") or {},
    )
