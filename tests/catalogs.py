"""States of a catalog that commands do not leave behind."""

from sqlalchemy import Engine

from cv_pipelines.database.tables import datasets


def forget_name(database: Engine, name: str) -> None:
    """Delete a data set's own row and no other, as a removal does that came before what it made was recorded."""
    with database.begin() as connection:
        connection.execute(datasets.delete().where(datasets.c.name == name))
