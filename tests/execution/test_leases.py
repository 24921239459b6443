"""Leases and GPU claims, on both databases."""

import threading
import time

import pytest
from sqlalchemy import Engine, update

from cv_pipelines.catalog import Catalog
from cv_pipelines.database.clock import from_now
from cv_pipelines.database.execution_tables import step_leases
from cv_pipelines.execution import leases
from cv_pipelines.execution.gpu_claims import claim_gpus
from tests.servers import on_both_databases

pytestmark = on_both_databases


@pytest.fixture
def database(catalog: Catalog) -> Engine:
    return catalog.database


def requested(database: Engine, step: str = "step", attempt: int = 0) -> str:
    return leases.request(database, "run", step, attempt, "image", 1, 2.5, 60.0)


def age(database: Engine, name: str, seconds: float) -> None:
    with database.begin() as connection:
        old = update(step_leases).where(step_leases.c.id == name)
        connection.execute(old.values(renewed_at=from_now(-seconds)))


def test_an_attempt_is_requested_once_and_begun_by_one(database: Engine) -> None:
    name = requested(database)
    assert requested(database) == name

    assert leases.begin(database, name, "a", "w1", "c1")
    assert leases.begin(database, name, "a", "w1", "c1"), "its answer may have been lost"
    assert not leases.begin(database, name, "b", "w2", "c2")
    assert leases.renew(database, name, "a")
    assert not leases.renew(database, name, "b")

    (lease,) = leases.leases_of(database, "run").values()
    assert (lease.state, lease.node, lease.container, lease.gpus, lease.memory_gb) == (
        "running",
        "w1",
        "c1",
        1,
        2.5,
    )
    assert lease.silent is not None
    assert 0 <= lease.silent < 5


def test_of_many_guards_that_begin_at_once_one_has_it(database: Engine) -> None:
    name = requested(database)
    won: list[str] = []
    threads = [
        threading.Thread(
            target=lambda who=str(number): won.append(who) if leases.begin(database, name, who, "w", "c") else None
        )
        for number in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(won) == 1
    assert leases.renew(database, name, won[0])


def test_what_was_taken_back_is_nobodys_and_keeps_its_reason(database: Engine) -> None:
    name = requested(database)
    leases.begin(database, name, "a", "w1", "c1")

    assert leases.revoke(database, name, "lost")
    assert not leases.revoke(database, name, "other")
    assert not leases.renew(database, name, "a")
    leases.end(database, name, "a", 137, "revoked", "the last words\0")

    lease = leases.find_leases(database, [name])[name]
    assert (lease.state, lease.reason, lease.exit_code, lease.log_tail) == (
        "revoked",
        "lost",
        137,
        "the last words",
    )
    assert lease.ended is not None


def test_it_is_taken_back_only_where_what_was_seen_still_holds(database: Engine) -> None:
    name = requested(database)
    leases.begin(database, name, "a", "w1", "c1")

    assert not leases.revoke(database, name, "guard_silent", unbegun=True)
    assert not leases.revoke(database, name, "lost", silent_for=10)
    age(database, name, 11)
    assert leases.revoke(database, name, "lost", silent_for=10)


def test_a_run_gives_back_everything_that_is_open(database: Engine) -> None:
    done, open_one, waiting = (requested(database, step) for step in ("done", "open", "waiting"))
    for name in (done, open_one):
        leases.begin(database, name, "a", "w1", "c1")
    leases.end(database, done, "a", 0, "completed", "")

    assert leases.open_runs(database) == {"run"}
    assert leases.revoke_run(database, "run", "run_over") == 2
    assert leases.open_runs(database) == set()
    states = {one.id: one.state for one in leases.leases_of(database, "run").values()}
    assert states == {done: "ended", open_one: "revoked", waiting: "revoked"}
    assert leases.prune(database, days=1) == 0
    time.sleep(0.01)
    assert leases.prune(database, days=0) == 3


def test_gpus_are_given_once_and_come_back(database: Engine) -> None:
    first, second, third = (requested(database, step) for step in ("1", "2", "3"))
    for name in (first, second, third):
        leases.begin(database, name, "a", "w1", "c1")

    def claim(name: str, count: int, node: str = "w1") -> tuple[int, ...] | None:
        return claim_gpus(database, name, node, range(4), count)

    assert claim(first, 2) == (0, 1)
    assert claim(first, 2) == (0, 1)
    assert claim(second, 1) == (2,)
    assert claim(third, 2) is None
    assert claim(third, 2, node="w2") == (0, 1)
    assert leases.leases_of(database, "run")[first].devices == (0, 1)
    leases.end(database, first, "a", 0, "completed", "")
    assert claim(third, 2) == (0, 1)


def test_a_revoked_step_keeps_its_gpus_until_it_is_dead_for_certain(database: Engine) -> None:
    old, new = requested(database, "old"), requested(database, "new")
    for name in (old, new):
        leases.begin(database, name, "a", "w1", "c1")
    claim_gpus(database, old, "w1", [0], 1)
    leases.revoke(database, old, "lost")

    assert claim_gpus(database, new, "w1", [0], 1) is None
    age(database, old, 71)
    assert claim_gpus(database, new, "w1", [0], 1) == (0,)


def test_many_at_once_never_share_a_gpu(database: Engine) -> None:
    names = [requested(database, str(number)) for number in range(6)]
    for name in names:
        leases.begin(database, name, "a", "w1", "c1")
    got: list[tuple[int, ...] | None] = []
    threads = [
        threading.Thread(target=lambda one=name: got.append(claim_gpus(database, one, "w1", range(4), 1)))
        for name in names
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    given = [one for one in got if one is not None]
    assert sorted(given) == [(0,), (1,), (2,), (3,)]
    assert got.count(None) == 2
