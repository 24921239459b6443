"""The ledger, whatever happens to it and in whatever order."""

from typing import Any, cast

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy import event

from cv_pipelines.tasks.ledger.ledger import Ledger
from tests.servers import on_both_databases
from tests.tasks.ledger.machine import LedgerMachine

EXAMPLES = {"sqlite": 45, "postgresql": 40}


@pytest.fixture
def fast_ledger(ledger: Ledger) -> Ledger:
    """Nobody pulls the plug of this machine: what is committed need not be on the disk."""
    if ledger.database.dialect.name == "sqlite":
        ledger.database.dispose()
        event.listen(ledger.database, "connect", lambda raw, _: raw.execute("PRAGMA synchronous=OFF"))
    return ledger


@on_both_databases
def test_nothing_that_may_happen_in_any_order_breaks_an_invariant(fast_ledger: Ledger) -> None:
    modest = settings(
        max_examples=EXAMPLES[fast_ledger.database.dialect.name],
        stateful_step_count=40,
        suppress_health_check=list(HealthCheck),
        deadline=None,
    )
    run_state_machine_as_test(cast(Any, lambda: LedgerMachine(fast_ledger)), settings=modest)
