from collections.abc import Mapping, Sequence

import pytest
from sqlalchemy import Engine

from cv_pipelines.catalog import Catalog
from cv_pipelines.execution import leases
from cv_pipelines.execution.engine import EngineRefusedError
from cv_pipelines.execution.janitor import LINGER_SECONDS, RunState, condemned, sweep
from tests.execution.test_verdict import REQUESTED, RUNNING, ended
from tests.servers import on_both_databases

LIVE, OVER = RunState(is_over=False), RunState(is_over=True, over_for=1.0)
LONG_OVER = RunState(is_over=True, over_for=LINGER_SECONDS + 1)


class Shelf:
    """An engine of which the janitor sees what stands on it."""

    def __init__(self, services: Mapping[str, str], run_containers: Mapping[str, str] | None = None) -> None:
        self.on_it, self.containers = dict(services), dict(run_containers or {})
        self.stuck: set[str] = set()

    def services(self) -> Mapping[str, str]:
        return dict(self.on_it)

    def run_containers(self) -> Mapping[str, str]:
        return dict(self.containers)

    def remove(self, name: str) -> None:
        if name in self.stuck:
            raise EngineRefusedError("engine_refused", f"removal of {name} is already in progress")
        self.on_it.pop(name, None)

    def remove_container(self, name: str) -> None:
        self.containers.pop(name, None)


@pytest.fixture
def database(catalog: Catalog) -> Engine:
    return catalog.database


def requested(database: Engine, run_id: str) -> str:
    return leases.request(database, run_id, "step", 0, "image", 0, None, 60.0)


def states(found: Mapping[str, RunState]):  # type: ignore[no-untyped-def]
    def look(run_ids: Sequence[str]) -> Mapping[str, RunState]:
        return {run_id: found.get(run_id, RunState(is_over=True)) for run_id in run_ids}

    return look


def test_what_lives_stays_and_the_rest_goes_with_its_reason() -> None:
    runs = {"run": LIVE}

    assert condemned([REQUESTED, RUNNING, ended("completed", 0, 1.0)], runs) == {}
    assert "its step has ended" in condemned([ended("completed", 0, LINGER_SECONDS + 1)], runs).values()
    assert list(condemned([RUNNING], {"run": OVER}).values()) == ["its run has ended, or is being cancelled"]


@on_both_databases
def test_a_run_that_ended_is_swept_and_its_neighbours_stay(database: Engine) -> None:
    gone, live = requested(database, "gone"), requested(database, "live")
    shelf = Shelf({gone: "gone", live: "live"})

    swept = sweep(shelf, database, states({"gone": OVER, "live": LIVE}))  # type: ignore[arg-type]

    assert swept.revoked == 1
    assert list(swept.removed) == [gone]
    assert list(shelf.on_it) == [live]
    assert not leases.begin(database, gone, "late", "w1", "c1"), "a container that comes late may not begin"
    assert leases.begin(database, live, "a", "w1", "c1")


@on_both_databases
def test_one_that_does_not_go_stands_in_nobodys_way(database: Engine) -> None:
    names = [requested(database, f"gone-{number}") for number in range(3)]
    shelf = Shelf({name: f"gone-{number}" for number, name in enumerate(names)})
    shelf.stuck = {names[0]}

    swept = sweep(shelf, database, states({}))  # type: ignore[arg-type]

    assert set(swept.removed) == set(names[1:])
    assert "already in progress" in swept.refused[names[0]]


@on_both_databases
def test_what_is_another_installations_stays(database: Engine) -> None:
    shelf = Shelf({"cv-of-somebody-else": "theirs"}, {"container": "theirs", "ours": "run", "fresh": "now"})

    swept = sweep(shelf, database, states({"run": LONG_OVER, "now": OVER}))  # type: ignore[arg-type]

    assert swept.removed == {"ours": "its run has ended"}
    assert set(shelf.containers) == {"container", "fresh"}
    assert list(shelf.on_it) == ["cv-of-somebody-else"]
