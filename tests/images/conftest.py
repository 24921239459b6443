"""What several tests of ingest ask for by name."""

import pytest

from tests.images.ingests import work_in_this_process


@pytest.fixture
def in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ingest works in this process, and saves what it has found after every file."""
    work_in_this_process(monkeypatch)
