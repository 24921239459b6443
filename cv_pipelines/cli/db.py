"""`cv-pipelines db`: the application database."""

import click

from cv_pipelines.cli.output import console
from cv_pipelines.errors import InputError
from cv_pipelines.settings import load_settings


@click.group()
def db() -> None:
    """The application database."""


@db.command()
def upgrade() -> None:
    """Bring the database to the schema that this program needs.

    \b
    Example:
      cv-pipelines db upgrade
    """
    from cv_pipelines.database.engine import SCHEMA, connect, schema_revision
    from cv_pipelines.database.upgrade import upgrade as run_migrations

    engine = connect(load_settings().database)
    before = schema_revision(engine)
    if before is not None and before > SCHEMA:
        message = f"The database has schema {before}, newer than this program's {SCHEMA}: update the program."
        raise InputError("new_schema", message)
    run_migrations(engine)
    after = schema_revision(engine)
    console.print(f"The database has schema {after}" + (", as before." if before == after else "."))
