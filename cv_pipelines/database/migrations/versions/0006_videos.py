"""The video archive: which videos there are, and which of them are bad."""

import sqlalchemy as sa
from alembic import op

from cv_pipelines.database.clock import UtcDateTime, now

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add a table."""
    op.create_table(
        "videos",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("address", sa.Text, nullable=False, unique=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=True),
        sa.Column("modified_at", UtcDateTime, nullable=True),
        sa.Column("stamp", sa.Text, nullable=False, server_default=""),
        sa.Column("problem", sa.Text, nullable=False, server_default=""),
        sa.Column("problem_stamp", sa.Text, nullable=False, server_default=""),
        sa.Column("added_at", UtcDateTime, nullable=False, server_default=now()),
    )
