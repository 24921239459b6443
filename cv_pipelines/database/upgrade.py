"""Bringing a database to the newest schema."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

from cv_pipelines.database.locks import take_turns


def migrations() -> Config:
    """Alembic's configuration, without an ini file."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def newest_revision() -> str | None:
    """The last revision of the history in this checkout."""
    return ScriptDirectory.from_config(migrations()).get_current_head()


def upgrade(engine: Engine) -> None:
    """Run what is missing, all in one transaction; of two processes the second finds nothing to do."""
    config = migrations()
    with engine.begin() as connection:
        take_turns(connection, "upgrade")
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
