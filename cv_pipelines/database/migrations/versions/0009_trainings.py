"""Names of models, and where the steps of runs stand."""

import sqlalchemy as sa
from alembic import op

from cv_pipelines.database.clock import UtcDateTime, now

revision = "0009"
down_revision = "0008"

_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Add two tables."""
    op.create_table(
        "model_names",
        sa.Column("dataset", sa.String(64), primary_key=True),
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("version", sa.String(64), nullable=False),
        sa.Column("who", sa.String(128), nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False, server_default=now()),
        sa.ForeignKeyConstraint(["dataset", "version"], ["models.dataset", "models.version"]),
    )
    op.create_index("ix_model_names_dataset_version", "model_names", ["dataset", "version"])
    op.create_table(
        "run_progress",
        sa.Column("run_id", sa.String(64), primary_key=True),
        sa.Column("step", sa.String(255), primary_key=True),
        sa.Column("attempt", _NUMBER, nullable=True),
        sa.Column("stage", sa.Text, nullable=False),
        sa.Column("done", sa.Integer, nullable=False),
        sa.Column("total", sa.Integer, nullable=True),
        sa.Column("curve", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("started_at", UtcDateTime, nullable=False, server_default=now()),
        sa.Column("updated_at", UtcDateTime, nullable=False, server_default=now()),
    )
    op.create_index("ix_run_progress_attempt", "run_progress", ["attempt"])
    op.create_index("ix_run_progress_updated_at", "run_progress", ["updated_at"])
