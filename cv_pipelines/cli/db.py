"""`cv-pipelines db`: the application database."""

from pathlib import Path

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


@db.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def backup(folder: Path) -> None:
    """Copy the SQLite databases, Dagster's and the platform's, to a folder; everybody may go on working.

    \b
    Example:
      cv-pipelines db backup /backup
    """
    from cv_pipelines.database.backup import copy_database
    from cv_pipelines.database.engine import connect

    settings = load_settings()
    engine = connect(settings.database)
    if engine.dialect.name != "sqlite":
        raise InputError(
            "no_sqlite", "This database is no SQLite: back it up with pg_dump, as docs/storage.md says."
        )
    # the platform's comes last: it must know all that Dagster's refer to
    found = [path for kept in ("history", "schedules") for path in (settings.state / kept).rglob("*.db")]
    for path in found:
        copy_database(path, folder / path.relative_to(settings.state))
    own = Path(engine.url.database or "")
    copy_database(own, folder / own.name)
    line = f"Databases copied: {len(found) + 1}. Next: cv-pipelines store backup {folder}/store"
    console.print(line, markup=False, soft_wrap=True)
