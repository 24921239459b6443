"""The ledger of tasks: inbox, record and outbox in one database (see the tables in `database/task_tables.py`)."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, Row

AnyRow = Row[*tuple[Any, ...]]
"""A row of the tables, its columns by name."""


@dataclass(frozen=True)
class Ledger:
    """Where tasks are kept.

    Attributes:
        database: the application database.
        has_broker: whether there is an exchange that is told of every change.
    """

    database: Engine
    has_broker: bool = False
