"""How GPUs are counted as Swarm's generic resource of kind GPU.

Engine 20.10 takes a node to be full while one unit is left, so there a node with N GPUs declares 2N + 1 and a step
asks 2 for each.
"""

from collections.abc import Mapping, Sequence
from typing import Any

KIND = "GPU"
_EXACT_SINCE = 23


def _is_exact(engine_version: str) -> bool:
    major = engine_version.partition(".")[0]
    return major.isdigit() and int(major) >= _EXACT_SINCE


def offered(engine_version: str, gpus: int) -> int:
    """What a node with so many GPUs declares."""
    return gpus if _is_exact(engine_version) or not gpus else 2 * gpus + 1


def asked(engine_version: str, gpus: int) -> int:
    """What a service that needs so many reserves."""
    return gpus if _is_exact(engine_version) else 2 * gpus


def gpus_of(engine_version: str, declared: int) -> int:
    """How many GPUs a node has that declares so much."""
    return declared if _is_exact(engine_version) else declared // 2


def discrete_gpus(resources: Sequence[Mapping[str, Any]]) -> int:
    """How many units of ours are among generic resources, as Docker's API lists them."""
    discrete = [one["DiscreteResourceSpec"] for one in resources if "DiscreteResourceSpec" in one]
    return sum(int(one["Value"]) for one in discrete if one["Kind"] == KIND)


def daemon_options(engine_version: str, gpus: int) -> str:
    """What a node with so many GPUs needs in its daemon.json, one line."""
    return f'"default-runtime": "nvidia", "node-generic-resources": ["{KIND}={offered(engine_version, gpus)}"]'
