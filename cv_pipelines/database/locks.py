"""Making transactions that read and then write take turns."""

from sqlalchemy import Connection, func, select


def take_turns(connection: Connection, name: str) -> None:
    """Wait until no other transaction that has named the same thing is open; ours holds it to its end.

    SQLite needs nothing: there every transaction is alone from its beginning (BEGIN IMMEDIATE).
    """
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))
