"""The ledger of an installation, opened in the test's own process."""

from collections.abc import Iterator

import pytest

from cv_pipelines.database.engine import open_database
from cv_pipelines.tasks.ledger.ledger import Ledger
from tests.installation import Installation


@pytest.fixture
def ledger(installation: Installation) -> Iterator[Ledger]:
    """Of the installation that `installation` gives the same test."""
    engine = open_database(f"sqlite:///{installation.state / 'cv.sqlite'}")
    yield Ledger(engine)
    engine.dispose()
