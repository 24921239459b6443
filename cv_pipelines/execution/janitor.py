"""Removing containers that nobody waits for any more: a run worker that was killed forwards nothing."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Engine as Database

from cv_pipelines.execution import leases
from cv_pipelines.execution.engine import Engine, EngineRefusedError
from cv_pipelines.execution.leases import Lease

LINGER_SECONDS = 60.0
"""For so long what has ended may still be looked at."""


@dataclass(frozen=True)
class RunState:
    """What Dagster says of a run.

    Attributes:
        is_over: it has ended, is being cancelled, or was deleted.
        over_for: seconds since it ended; None where nobody knows.
    """

    is_over: bool
    over_for: float | None = None


@dataclass
class Swept:
    """What a sweep has done: what was removed and why, what could not be, and attempts taken back."""

    removed: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    revoked: int = 0


States = Callable[[Sequence[str]], Mapping[str, RunState]]
"""States of runs by their ids."""


def sweep(engine: Engine, database: Database, states: States) -> Swept:
    """Take back and remove what belongs to no living attempt.

    Services that have no lease in this database are somebody else's, and stay.

    Raises:
        EngineUnreachableError: the engine does not answer.
    """
    swept = Swept()
    services, run_containers = engine.services(), engine.run_containers()
    known = leases.find_leases(database, list(services))
    open_runs = leases.open_runs(database)
    runs = sorted({lease.run_id for lease in known.values()} | open_runs | set(run_containers.values()))
    now = states(runs)
    for run_id in sorted(open_runs):
        if now[run_id].is_over:
            swept.revoked += leases.revoke_run(database, run_id, "run_over")
    for name, reason in condemned(known.values(), now).items():
        _remove(engine.remove, name, reason, swept)
    for name, run_id in run_containers.items():
        if is_forgotten(now[run_id]):
            _remove(engine.remove_container, name, "its run has ended", swept)
    return swept


def _remove(remove: Callable[[str], None], name: str, reason: str, swept: Swept) -> None:
    """Remove one; what does not go now stands in nobody's way, and is tried again."""
    try:
        remove(name)
        swept.removed[name] = reason
    except EngineRefusedError as error:
        swept.refused[name] = error.user_message


def condemned(held: Iterable[Lease], runs: Mapping[str, RunState]) -> dict[str, str]:
    """The services among those of some leases that have to go, with the reason."""
    reasons = {}
    for lease in held:
        if runs[lease.run_id].is_over:
            reasons[lease.id] = "its run has ended, or is being cancelled"
        elif lease.state == "revoked":
            reasons[lease.id] = "its attempt was given up"
        elif lease.ended is not None and lease.ended > LINGER_SECONDS:
            reasons[lease.id] = "its step has ended"
    return reasons


def is_forgotten(run: RunState) -> bool:
    """Whether the container of a run itself has to go; one of a run that nobody knows may be somebody else's."""
    return run.is_over and run.over_for is not None and run.over_for > LINGER_SECONDS
