"""How GPUs are counted as Swarm's generic resource of kind GPU.

Engine 20.10 takes a node to be full while one unit is left, so there a node with N GPUs declares 2N + 1 and a step
asks 2 for each.
"""

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
