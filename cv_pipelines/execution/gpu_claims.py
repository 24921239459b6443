"""Which GPUs of a node a step has: Swarm counts them, and does not say which."""

from collections.abc import Sequence

from sqlalchemy import Engine, delete, insert, select

from cv_pipelines.database.clock import seconds_since
from cv_pipelines.database.execution_tables import gpu_claims, step_leases
from cv_pipelines.database.locks import take_turns
from cv_pipelines.execution.leases import lost_after


def claim_gpus(
    database: Engine, name: str, node: str, devices: Sequence[int], count: int
) -> tuple[int, ...] | None:
    """Give an attempt GPUs that no living one has; None where there are not enough at this moment.

    To ask again gives the same ones.

    Args:
        database: where claims are.
        name: id of the attempt's lease.
        node: whose GPUs these are.
        devices: the numbers of those that are there.
        count: how many are wanted.
    """
    with database.begin() as connection:
        take_turns(connection, f"gpus of {node}")
        alive = select(step_leases.c.id).where(
            step_leases.c.ended_at.is_(None),
            seconds_since(step_leases.c.renewed_at) <= step_leases.c.lease_seconds + lost_after(0),
        )
        here = gpu_claims.c.node == node
        connection.execute(delete(gpu_claims).where(here, gpu_claims.c.lease_id.not_in(alive)))
        rows = connection.execute(select(gpu_claims.c.device, gpu_claims.c.lease_id).where(here))
        held = {row.device: row.lease_id for row in rows}
        mine = sorted(device for device, owner in held.items() if owner == name)
        free = [device for device in devices if device not in held][: count - len(mine)]
        if len(mine) + len(free) < count:
            return None
        if free:
            claims = [{"node": node, "device": device, "lease_id": name} for device in free]
            connection.execute(insert(gpu_claims), claims)
        return tuple(sorted([*mine, *free]))
