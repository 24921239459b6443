from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, Inspector, inspect, text
from sqlalchemy.exc import IntegrityError

from cv_pipelines.database.engine import SCHEMA, connect, schema_revision
from cv_pipelines.database.tables import metadata
from cv_pipelines.database.upgrade import migrations, newest_revision, upgrade
from tests.servers import on_both_databases


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = connect(database_url)
    yield engine
    engine.dispose()


BEFORE_REFUSALS = [
    "INSERT INTO tasks (id, kind, params, digest, batch_key, priority, submitted_by, state)"
    " VALUES ('a', 'sleep', '{}', '', '', 4, '', 'running')",
    "INSERT INTO events (task_id, number, state, delivery, pending, tries) VALUES"
    " ('a', 1, 'queued', 'open', '[]', 3), ('a', 2, 'running', 'open', '[]', 0), ('a', 3, 'x', 'open', '[]', 0)",
    "DELETE FROM events WHERE number = 3",
    "INSERT INTO deliveries (event_id, url, status, error, milliseconds) VALUES (1, 'https://x', 204, '', 5)",
]


def schema_of(engine: Engine) -> dict[str, list[str]]:
    look = inspect(engine)
    return {name: [repr(column) for column in look.get_columns(name)] for name in look.get_table_names()}


def test_the_newest_migration_is_the_schema_that_the_code_knows() -> None:
    assert newest_revision() == SCHEMA


def test_there_is_one_history_whose_names_sort_in_its_order() -> None:
    history = [script.revision for script in ScriptDirectory.from_config(migrations()).walk_revisions()]

    # the engine compares revisions as text to say which of two is newer
    assert history == sorted(history, reverse=True)
    assert len({len(revision) for revision in history}) == 1


@on_both_databases
def test_the_migrated_schema_is_that_of_the_tables(engine: Engine) -> None:
    upgrade(engine)

    with engine.connect() as connection:
        options = {"compare_type": True, "compare_server_default": False}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, metadata) == []


@on_both_databases
def test_defaults_and_constraints_are_those_of_the_tables_too(
    engine: Engine, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    upgrade(engine)
    on_postgres = engine.dialect.name == "postgresql"
    direct = connect(
        request.getfixturevalue("postgres").new_database() if on_postgres else f"sqlite:///{tmp_path}/direct"
    )
    metadata.create_all(direct)

    for name in metadata.tables:
        migrated_columns = {column["name"]: column for column in inspect(engine).get_columns(name)}
        for column in inspect(direct).get_columns(name):
            assert migrated_columns[column["name"]]["default"] == column["default"]
            assert migrated_columns[column["name"]]["nullable"] == column["nullable"]
        for find in ("get_pk_constraint", "get_foreign_keys", "get_unique_constraints", "get_indexes"):
            assert shown(inspect(engine), find, name) == shown(inspect(direct), find, name)
    direct.dispose()


@on_both_databases
def test_upgrading_twice_changes_nothing(engine: Engine) -> None:
    upgrade(engine)
    before = schema_of(engine)
    upgrade(engine)

    assert schema_of(engine) == before
    assert schema_revision(engine) == SCHEMA


@on_both_databases
def test_what_was_told_before_refusals_were_is_kept(engine: Engine) -> None:
    config = migrations()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0003")
        for statement in BEFORE_REFUSALS:
            connection.execute(text(statement))

    upgrade(engine)

    with engine.begin() as connection:
        told = connection.execute(text("SELECT task_id, dead_letter_id, number, state, tries FROM events")).all()
        calls = connection.execute(text("SELECT event_id, url, status FROM deliveries")).all()
        assert [tuple(row) for row in told] == [("a", None, 1, "queued", 3), ("a", None, 2, "running", 0)]
        assert [tuple(row) for row in calls] == [(1, "https://x", 204)]
        assert connection.scalar(text("SELECT size FROM tasks")) == 1
        new = "INSERT INTO events (task_id, number, state, delivery, pending) VALUES ('a', 3, 'x', 'open', '[]')"
        assert connection.scalar(text(f"{new} RETURNING id")) == 4, "the number of a deleted event comes again"
        connection.execute(text("DELETE FROM tasks"))
        assert connection.scalar(text("SELECT count(*) FROM events")) == 0
        assert connection.scalar(text("SELECT count(*) FROM deliveries")) == 0


@on_both_databases
def test_an_event_is_of_a_task_or_of_a_dead_letter(engine: Engine) -> None:
    upgrade(engine)
    with engine.begin() as connection:
        connection.execute(text(BEFORE_REFUSALS[0]))
    of_neither = "INSERT INTO events (number, state, delivery, pending) VALUES (1, 'x', 'open', '[]')"

    with pytest.raises(IntegrityError, match="one_subject"), engine.begin() as connection:
        connection.execute(text(of_neither))


@on_both_databases
def test_a_migration_that_fails_leaves_the_database_as_it_was(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE promotions (nobody TEXT)"))
    before = schema_of(engine)

    with pytest.raises(Exception, match="already exists"):
        upgrade(engine)

    assert schema_of(engine) == before
    assert schema_revision(engine) is None


def shown(inspector: Inspector, find: str, table: str) -> str:
    """What a database says of a table; conditions of indexes as the text that they are."""
    return repr(
        [{name: str(value) for name, value in _flat(one).items()} for one in _listed(inspector, find, table)]
    )


def _listed(inspector: Inspector, find: str, table: str) -> list[dict[str, Any]]:
    found = getattr(inspector, find)(table)
    return found if isinstance(found, list) else [found]


def _flat(found: dict[str, Any]) -> dict[str, Any]:
    return (
        found
        | {name: str(value) for name, value in found.get("dialect_options", {}).items()}
        | {"dialect_options": ""}
    )
