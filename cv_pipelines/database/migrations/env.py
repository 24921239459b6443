"""Alembic's entry: always on the connection that `upgrade` opened, inside its transaction."""

from alembic import context

from cv_pipelines.database.task_tables import tasks

context.configure(connection=context.config.attributes["connection"], target_metadata=tasks.metadata)
context.run_migrations()
