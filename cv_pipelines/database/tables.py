"""The tables of the application database. A change here comes with a migration."""

from sqlalchemy import (
    JSON,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from cv_pipelines.database.clock import UtcDateTime, now

metadata = MetaData()

datasets = Table(
    "datasets",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("source", Text, nullable=False),
    Column("classes", JSON, nullable=False),
    # the version of its images that a person has gone back to; null: the newest
    Column("restored", String(64), nullable=True),
    Column("created_at", UtcDateTime, nullable=False, server_default=now()),
)

# What was made of which inputs: the same inputs are never worked on twice. `created_at` is when it was
# made or last found again: what is old, and stands for nothing, is garbage.
artefacts = Table(
    "artefacts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String(64), nullable=False),
    Column("inputs", String(64), nullable=False),
    Column("version", String(64), nullable=False),
    Column("key", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False, server_default=now()),
    UniqueConstraint("kind", "inputs"),
    Index("ix_artefacts_kind_version", "kind", "version"),
)

# Which artefact an asset's partition stands for; append-only, the newest row is the current one.
publications = Table(
    "publications",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("asset", String(128), nullable=False),
    Column("dataset", String(64), nullable=False),
    Column("kind", String(64), nullable=False),
    Column("version", String(64), nullable=False),
    Column("key", Text, nullable=False),
    Column("run_id", String(64), nullable=False, server_default=""),
    Column("created_at", UtcDateTime, nullable=False, server_default=now()),
    Index("ix_publications_asset_dataset", "asset", "dataset", "id"),
)

# Files in quarantine that a person wants all the same.
acceptances = Table(
    "acceptances",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("dataset", String(64), nullable=False),
    Column("path", Text, nullable=False),
    Column("who", String(128), nullable=False),
    Column("created_at", UtcDateTime, nullable=False, server_default=now()),
    Index("ix_acceptances_dataset", "dataset"),
)

# Images that must never come back; nothing is kept of them but their hash.
forgotten_images = Table(
    "forgotten_images",
    metadata,
    Column("image_id", String(64), primary_key=True),
    Column("who", String(128), nullable=False),
    Column("why", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False, server_default=now()),
)

models = Table(
    "models",
    metadata,
    Column("dataset", String(64), primary_key=True),
    Column("version", String(64), primary_key=True),
    Column("key", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False, server_default=now()),
)

# Append-only: an alias stands where its newest row says.
promotions = Table(
    "promotions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("dataset", String(64), nullable=False),
    Column("alias", String(16), nullable=False),
    Column("model", String(64), nullable=False),
    Column("previous", String(64), nullable=True),
    Column("action", String(16), nullable=False),
    Column("who", String(128), nullable=False),
    Column("why", Text, nullable=False),
    Column("metrics", JSON, nullable=False),
    Column("created_at", UtcDateTime, nullable=False, server_default=now()),
    ForeignKeyConstraint(["dataset", "model"], ["models.dataset", "models.version"]),
    Index("ix_promotions_dataset_alias", "dataset", "alias", "id"),
)
