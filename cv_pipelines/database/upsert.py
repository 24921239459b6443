"""An INSERT that knows ON CONFLICT, which both databases have and SQL has not."""

from typing import Any

from sqlalchemy import Connection, Table


def insert_into(connection: Connection, table: Table) -> Any:
    """An INSERT for the database that a connection leads to; its two types share their methods, and no base."""
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects import postgresql  # a fifth of a second that nobody else should wait for

        return postgresql.insert(table)
    from sqlalchemy.dialects import sqlite

    return sqlite.insert(table)
