"""An INSERT that knows ON CONFLICT, which both databases have and SQL has not."""

from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def insert_into(connection: Connection, table: Table) -> Any:
    """An INSERT for the database that a connection leads to; its two types share their methods, and no base."""
    return (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(table)
