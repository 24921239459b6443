from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect, text

from cv_pipelines.database.engine import SCHEMA, connect, schema_revision
from cv_pipelines.database.tables import metadata
from cv_pipelines.database.upgrade import migrations, newest_revision, upgrade


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = connect(f"sqlite:///{tmp_path / 'cv.sqlite'}")
    yield engine
    engine.dispose()


def schema_of(engine: Engine) -> dict[str, str]:
    query = "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'alembic%'"
    with engine.connect() as connection:
        return {name: " ".join(sql.split()) for name, sql in connection.execute(text(query))}


def test_the_newest_migration_is_the_schema_that_the_code_knows() -> None:
    assert newest_revision() == SCHEMA


def test_there_is_one_history_whose_names_sort_in_its_order() -> None:
    history = [script.revision for script in ScriptDirectory.from_config(migrations()).walk_revisions()]

    # the engine compares revisions as text to say which of two is newer
    assert history == sorted(history, reverse=True)
    assert len({len(revision) for revision in history}) == 1


def test_the_migrated_schema_is_that_of_the_tables(engine: Engine) -> None:
    upgrade(engine)

    with engine.connect() as connection:
        options = {"compare_type": True, "compare_server_default": False}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, metadata) == []


def test_defaults_and_constraints_are_those_of_the_tables_too(engine: Engine, tmp_path: Path) -> None:
    upgrade(engine)
    direct = connect(f"sqlite:///{tmp_path / 'direct.sqlite'}")
    metadata.create_all(direct)

    for name in metadata.tables:
        migrated_columns = {column["name"]: column for column in inspect(engine).get_columns(name)}
        for column in inspect(direct).get_columns(name):
            assert migrated_columns[column["name"]]["default"] == column["default"]
            assert migrated_columns[column["name"]]["nullable"] == column["nullable"]
        for find in ("get_pk_constraint", "get_foreign_keys", "get_unique_constraints", "get_indexes"):
            assert getattr(inspect(engine), find)(name) == getattr(inspect(direct), find)(name)
    direct.dispose()


def test_upgrading_twice_changes_nothing(engine: Engine) -> None:
    upgrade(engine)
    before = schema_of(engine)
    upgrade(engine)

    assert schema_of(engine) == before
    assert schema_revision(engine) == SCHEMA


def test_a_migration_that_fails_leaves_the_database_as_it_was(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE promotions (nobody TEXT)"))
    before = schema_of(engine)

    with pytest.raises(Exception, match="already exists"):
        upgrade(engine)

    assert schema_of(engine) == before
    assert schema_revision(engine) is None
