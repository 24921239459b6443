"""What people decide about images: versions gone back to, files accepted, images forgotten."""

import sqlalchemy as sa
from alembic import op

from cv_pipelines.database.clock import UtcDateTime, now

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add a column and two tables."""
    op.add_column("datasets", sa.Column("restored", sa.String(64), nullable=True))
    op.create_table(
        "acceptances",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("dataset", sa.String(64), nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("who", sa.String(128), nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False, server_default=now()),
    )
    op.create_index("ix_acceptances_dataset", "acceptances", ["dataset"])
    op.create_table(
        "forgotten_images",
        sa.Column("image_id", sa.String(64), primary_key=True),
        sa.Column("who", sa.String(128), nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False, server_default=now()),
    )
