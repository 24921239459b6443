"""Labels as events: what was said of each image, and of each class."""

import sqlalchemy as sa
from alembic import op

from cv_pipelines.database.clock import UtcDateTime, now

revision = "0007"
down_revision = "0006"

_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Add two tables."""
    op.create_table(
        "label_events",
        sa.Column("id", _NUMBER, primary_key=True),
        sa.Column("dataset", sa.String(64), nullable=False),
        sa.Column("image_id", sa.String(64), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("content", sa.Text, nullable=True),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("replaced", sa.LargeBinary(32), nullable=False),
        sa.Column("origin", sa.String(16), nullable=False),
        sa.Column("who", sa.String(128), nullable=False),
        sa.Column("model", sa.String(64), nullable=False, server_default=""),
        sa.Column("adjudicates", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("note", sa.Text, nullable=False, server_default=""),
        sa.Column("created_at", UtcDateTime, nullable=False, server_default=now()),
        sa.UniqueConstraint("dataset", "image_id", "version"),
    )
    op.create_index("ix_label_events_dataset", "label_events", ["dataset", "id"])
    op.create_table(
        "label_class_events",
        sa.Column("id", _NUMBER, primary_key=True),
        sa.Column("dataset", sa.String(64), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("colour", sa.String(7), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("attributes", sa.JSON, nullable=False),
        sa.Column("who", sa.String(128), nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False, server_default=now()),
    )
    op.create_index("ix_label_class_events_dataset", "label_class_events", ["dataset", "number", "id"])
