"""Copies of SQLite databases that are right even while somebody writes."""

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from cv_pipelines.errors import InfrastructureError


def copy_database(source: Path, target: Path) -> None:
    """Copy a SQLite database as it is at one moment; an older copy is replaced once the new one is whole.

    Raises:
        InfrastructureError: it cannot be read, or the copy cannot be written.
    """
    partial = target.with_name(f"{target.name}.partial")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        partial.unlink(missing_ok=True)
        with closing(sqlite3.connect(f"file:{quote(str(source))}?mode=rw", uri=True)) as connection:
            connection.execute("VACUUM INTO ?", (str(partial),))
        partial.replace(target)
    except (sqlite3.Error, OSError) as error:
        message = f"The database '{source}' cannot be copied to '{target}': {error}."
        raise InfrastructureError("backup", message) from error
