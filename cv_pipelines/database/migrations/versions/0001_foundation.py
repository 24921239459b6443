"""Data sets, artefacts, publications, models, promotions."""

import sqlalchemy as sa
from alembic import op

from cv_pipelines.database.clock import UtcDateTime, now

revision = "0001"
down_revision = None


def _created_at() -> sa.Column[object]:
    return sa.Column("created_at", UtcDateTime, nullable=False, server_default=now())


def upgrade() -> None:
    """Create the foundation."""
    op.create_table(
        "datasets",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("classes", sa.JSON, nullable=False),
        _created_at(),
    )
    op.create_table(
        "artefacts",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("inputs", sa.String(64), nullable=False),
        sa.Column("version", sa.String(64), nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        _created_at(),
        sa.UniqueConstraint("kind", "inputs"),
    )
    op.create_index("ix_artefacts_kind_version", "artefacts", ["kind", "version"])
    op.create_table(
        "publications",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("asset", sa.String(128), nullable=False),
        sa.Column("dataset", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("version", sa.String(64), nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("run_id", sa.String(64), nullable=False, server_default=""),
        _created_at(),
    )
    op.create_index("ix_publications_asset_dataset", "publications", ["asset", "dataset", "id"])
    op.create_table(
        "models",
        sa.Column("dataset", sa.String(64), primary_key=True),
        sa.Column("version", sa.String(64), primary_key=True),
        sa.Column("key", sa.Text, nullable=False),
        _created_at(),
    )
    op.create_table(
        "promotions",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("dataset", sa.String(64), nullable=False),
        sa.Column("alias", sa.String(16), nullable=False),
        sa.Column("model", sa.String(64), nullable=False),
        sa.Column("previous", sa.String(64), nullable=True),
        sa.Column("action", sa.String(16), nullable=False),
        sa.Column("who", sa.String(128), nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("metrics", sa.JSON, nullable=False),
        _created_at(),
        sa.ForeignKeyConstraint(["dataset", "model"], ["models.dataset", "models.version"]),
    )
    op.create_index("ix_promotions_dataset_alias", "promotions", ["dataset", "alias", "id"])
