"""The ledger of one test."""

from collections.abc import Iterator

import pytest

from cv_pipelines.database.engine import open_database
from cv_pipelines.tasks.ledger.ledger import Ledger


@pytest.fixture
def ledger(database_url: str) -> Iterator[Ledger]:
    """An empty ledger with a broker to tell, on SQLite where a test does not ask for both."""
    engine = open_database(database_url)
    yield Ledger(engine, has_broker=True)
    engine.dispose()
