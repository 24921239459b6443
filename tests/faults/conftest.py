"""What the fault tests share: seeds, and a platform of tasks on a real Postgres and a real RabbitMQ."""

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.task_platform import Platform
from tests.rabbitmq import RabbitMQ
from tests.servers import Postgres

SEEDS = int(os.environ.get("CV_FAULT_SEEDS", "1"))
"""How often each fault is tried; `make faults` asks for many."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "seed" in metafunc.fixturenames:
        metafunc.parametrize("seed", range(SEEDS))


@pytest.fixture
def chance(seed: int) -> random.Random:
    """Whatever is left to chance in a test."""
    return random.Random(seed)


@pytest.fixture
def platform(request: pytest.FixtureRequest, rabbitmq: RabbitMQ, tmp_path: Path) -> Iterator[Platform]:
    """Nothing runs yet, and nothing runs afterwards; every other seed is tried on SQLite."""
    seed: int = request.getfixturevalue("seed") if "seed" in request.fixturenames else 0
    if seed % 2:
        database = f"sqlite:///{tmp_path / 'cv.sqlite'}"
    else:
        postgres: Postgres = request.getfixturevalue("postgres")
        database = f"{postgres.new_database()}?options=-cidle_in_transaction_session_timeout%3D3s"
    platform = Platform(database, rabbitmq.new_vhost(), tmp_path)
    platform.prepare()
    yield platform
    platform.end()
    platform.ledger.database.dispose()
