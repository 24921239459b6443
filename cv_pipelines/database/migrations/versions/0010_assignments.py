"""Who is to label which images."""

import sqlalchemy as sa
from alembic import op

from cv_pipelines.database.clock import UtcDateTime, now

revision = "0010"
down_revision = "0008"
_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Add a table."""
    op.create_table(
        "label_assignments",
        sa.Column("id", _NUMBER, primary_key=True),
        sa.Column("dataset", sa.String(64), nullable=False),
        sa.Column("image_id", sa.String(64), nullable=False),
        sa.Column("pass_number", sa.Integer, nullable=False),
        sa.Column("who", sa.String(128), nullable=False),
        sa.Column("assigned_by", sa.String(128), nullable=False),
        sa.Column("assigned_at", UtcDateTime, nullable=False, server_default=now()),
        sa.Column("done_at", UtcDateTime, nullable=True),
        sa.UniqueConstraint("dataset", "image_id", "pass_number"),
    )
    op.create_index("ix_label_assignments_who", "label_assignments", ["dataset", "who", "done_at", "image_id"])
