"""The tables of steps on worker nodes. A change here comes with a migration."""

from sqlalchemy import Column, Float, Index, Integer, String, Table, Text, UniqueConstraint, text

from cv_pipelines.database.clock import UtcDateTime, now
from cv_pipelines.database.tables import metadata

_OPEN = text("state IN ('requested', 'running')")

# One attempt at one step, and who may work on it. `requested`: its container may begin; `running`: the guard in it
# has begun, and renews; `ended`: the guard has said how; `revoked`: whoever still works on it must stop.
step_leases = Table(
    "step_leases",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("run_id", String(64), nullable=False),
    Column("step_key", Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("image", Text, nullable=False),
    Column("gpus", Integer, nullable=False),
    Column("memory_gb", Float, nullable=True),
    Column("lease_seconds", Float, nullable=False),
    Column("holder", String(64), nullable=True),
    Column("node", String(255), nullable=True),
    Column("container", String(255), nullable=True),
    Column("exit_code", Integer, nullable=True),
    Column("reason", String(32), nullable=False, server_default=""),
    Column("source", String(16), nullable=False, server_default=""),
    Column("log_tail", Text, nullable=False, server_default=""),
    Column("created_at", UtcDateTime, nullable=False, server_default=now()),
    Column("began_at", UtcDateTime, nullable=True),
    Column("renewed_at", UtcDateTime, nullable=True),
    Column("ended_at", UtcDateTime, nullable=True),
    UniqueConstraint("run_id", "step_key", "attempt"),
    Index("ix_step_leases_open", "id", sqlite_where=_OPEN, postgresql_where=_OPEN),
    Index("ix_step_leases_created", "created_at"),
)

# Which GPU of which node a running attempt has. Rows go with their lease's end, or when it is long past renewal.
gpu_claims = Table(
    "gpu_claims",
    metadata,
    Column("node", String(255), primary_key=True),
    Column("device", Integer, primary_key=True),
    Column("lease_id", String(64), nullable=False),
    Column("claimed_at", UtcDateTime, nullable=False, server_default=now()),
    Index("ix_gpu_claims_lease", "lease_id"),
)
