"""Steps on worker nodes: who works on which attempt, and with which GPUs."""

import sqlalchemy as sa
from alembic import op

from cv_pipelines.database.clock import UtcDateTime, now

revision = "0005"
down_revision = "0004"

OPEN = sa.text("state IN ('requested', 'running')")


def upgrade() -> None:
    """Add two tables."""
    op.create_table(
        "step_leases",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("run_id", sa.String(64), nullable=False),
        sa.Column("step_key", sa.Text, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("image", sa.Text, nullable=False),
        sa.Column("gpus", sa.Integer, nullable=False),
        sa.Column("memory_gb", sa.Float, nullable=True),
        sa.Column("lease_seconds", sa.Float, nullable=False),
        sa.Column("holder", sa.String(64), nullable=True),
        sa.Column("node", sa.String(255), nullable=True),
        sa.Column("container", sa.String(255), nullable=True),
        sa.Column("exit_code", sa.Integer, nullable=True),
        sa.Column("reason", sa.String(32), nullable=False, server_default=""),
        sa.Column("source", sa.String(16), nullable=False, server_default=""),
        sa.Column("log_tail", sa.Text, nullable=False, server_default=""),
        sa.Column("created_at", UtcDateTime, nullable=False, server_default=now()),
        sa.Column("began_at", UtcDateTime, nullable=True),
        sa.Column("renewed_at", UtcDateTime, nullable=True),
        sa.Column("ended_at", UtcDateTime, nullable=True),
        sa.UniqueConstraint("run_id", "step_key", "attempt"),
    )
    op.create_index("ix_step_leases_open", "step_leases", ["id"], sqlite_where=OPEN, postgresql_where=OPEN)
    op.create_index("ix_step_leases_created", "step_leases", ["created_at"])
    op.create_table(
        "gpu_claims",
        sa.Column("node", sa.String(255), primary_key=True),
        sa.Column("device", sa.Integer, primary_key=True),
        sa.Column("lease_id", sa.String(64), nullable=False),
        sa.Column("claimed_at", UtcDateTime, nullable=False, server_default=now()),
    )
    op.create_index("ix_gpu_claims_lease", "gpu_claims", ["lease_id"])
