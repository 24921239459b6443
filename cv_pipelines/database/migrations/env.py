"""Alembic's entry: always on the connection that `upgrade` opened, inside its transaction."""

from alembic import context

# importing these adds their tables to `metadata`, whoever else has or has not
from cv_pipelines.database import (  # noqa: F401
    execution_tables,
    label_tables,
    task_tables,
    training_tables,
    video_tables,
    web_tables,
)
from cv_pipelines.database.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
