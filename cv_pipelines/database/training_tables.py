"""The tables of trainings: names of models, and where steps stand. A change here comes with a migration."""

from sqlalchemy import JSON, Column, ForeignKeyConstraint, Index, Integer, String, Table, Text

from cv_pipelines.database.clock import UtcDateTime, now
from cv_pipelines.database.tables import metadata
from cv_pipelines.database.task_tables import Number

# What people call models; a model may have several names.
model_names = Table(
    "model_names",
    metadata,
    Column("dataset", String(64), primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("version", String(64), nullable=False),
    Column("who", String(128), nullable=False),
    Column("created_at", UtcDateTime, nullable=False, server_default=now()),
    ForeignKeyConstraint(["dataset", "version"], ["models.dataset", "models.version"]),
    Index("ix_model_names_dataset_version", "dataset", "version"),
)

# Where the steps of runs stand, or stood last. `attempt` is that of the ledger that the run does, without a
# foreign key: it may be forgotten earlier. `curve` has an entry for each epoch, the long ones fewer.
run_progress = Table(
    "run_progress",
    metadata,
    Column("run_id", String(64), primary_key=True),
    Column("step", String(255), primary_key=True),
    Column("attempt", Number, nullable=True, index=True),
    Column("stage", Text, nullable=False),
    Column("done", Integer, nullable=False),
    Column("total", Integer, nullable=True),
    Column("curve", JSON(none_as_null=True), nullable=True),
    Column("started_at", UtcDateTime, nullable=False, server_default=now()),
    Column("updated_at", UtcDateTime, nullable=False, server_default=now(), index=True),
)
