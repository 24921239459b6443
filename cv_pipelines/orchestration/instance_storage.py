"""Dagster's own records, kept where the application database is: dagster.yaml names one class for both."""

from collections.abc import Mapping
from typing import Any

from dagster._core.storage.base_storage import DagsterStorage
from dagster._serdes import ConfigurableClass, ConfigurableClassData
from sqlalchemy import URL, Engine, inspect
from sqlalchemy.schema import CreateSchema

from cv_pipelines.database.engine import ALIVE, connect, reach
from cv_pipelines.database.locks import take_turns
from cv_pipelines.garbage import collect_rarely
from cv_pipelines.orchestration.sqlite_storage import SqliteStorage
from cv_pipelines.settings import load_settings

SCHEMA = "dagster"
"""Its tables on Postgres are by themselves: Dagster's history has a table of the same name as ours."""
_LAST_TABLE = "jobs"
_CONNECT_SECONDS = "10"


class InstanceStorage(DagsterStorage, ConfigurableClass):
    """What `storage: custom` names; gives Dagster the storage that CV_DATABASE_URL asks for."""

    @classmethod
    def config_type(cls) -> Mapping[str, Any]:
        """Nothing: the settings are the environment's."""
        return {}

    @classmethod
    def from_config_value(  # type: ignore[override]
        cls, inst_data: ConfigurableClassData, config_value: Mapping[str, Any]
    ) -> DagsterStorage:
        """Open SQLite in the state folder, or Postgres.

        Raises:
            InputError: the URL is wrong, or the server refuses us.
            InfrastructureError: it does not answer.
        """
        collect_rarely()  # daemon, UI, code server, runs: all processes of Dagster open the instance
        settings = load_settings()
        engine = connect(settings.database)
        if engine.dialect.name == "postgresql":
            try:
                return _on_postgres(engine, inst_data)
            finally:
                engine.dispose()
        return SqliteStorage(str(settings.state), inst_data)


def dagster_url(url: URL) -> str:
    """The application database's URL, for Dagster: its driver, its schema, its time zone.

    Dagster takes the server's local time for UTC: where that is behind, a run that has just been made would
    seem hours old, and be given up.

    SQLAlchemy 2.1 takes psycopg 3 for a plain `postgresql://`, and with that Dagster 1.13 launches no run.
    """
    options = f"{url.query.get('options', '')} -csearch_path={SCHEMA} -ctimezone=UTC".strip()
    query = {"connect_timeout": _CONNECT_SECONDS, **ALIVE, **url.query, "options": options}
    return url.set(drivername="postgresql+psycopg2", query=query).render_as_string(hide_password=False)


def _on_postgres(engine: Engine, inst_data: ConfigurableClassData) -> DagsterStorage:
    """Open the storage; of several processes that are first, one makes the tables."""
    from dagster_postgres import DagsterPostgresStorage

    url = dagster_url(engine.url)
    with reach(engine) as connection:
        ready = inspect(connection).has_table(_LAST_TABLE, SCHEMA)
    if ready:  # nothing more is looked for
        return DagsterPostgresStorage(url, should_autocreate_tables=False, inst_data=inst_data)
    with engine.begin() as turn:
        take_turns(turn, "dagster's tables")
        _make_schema(engine)
        return DagsterPostgresStorage(url, inst_data=inst_data)


def _make_schema(engine: Engine) -> None:
    """Make the schema where it is missing; one that is there may belong to somebody with more rights."""
    with engine.begin() as connection:
        if SCHEMA not in inspect(connection).get_schema_names():
            connection.execute(CreateSchema(SCHEMA))
