"""Alembic's entry: always on the connection that `upgrade` opened, inside its transaction."""

from alembic import context

from cv_pipelines.database.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
