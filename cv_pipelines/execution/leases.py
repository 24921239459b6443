"""Who may work on an attempt at a step: rows that a guard renews, and that the executor may take away.

The invariant: a guard kills its step when it could not renew for LEASE seconds, or when its row was revoked; the
executor takes a running step for lost only when nobody has renewed for longer than that and the killing together,
by the database's clock. So no event of a lost attempt is written after its successor has begun (a lease as in
Gray and Cheriton, SOSP 1989, with the database as its clock).
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Engine, Select, Update, delete, select, update

from cv_pipelines.database.clock import ago, now, seconds_since
from cv_pipelines.database.execution_tables import gpu_claims, step_leases
from cv_pipelines.database.upsert import insert_into
from cv_pipelines.hashing import hash_values

KILL_SECONDS = 2.0
"""Within which a guard that has to kill has killed."""
MARGIN_SECONDS = 8.0
_COLUMNS = (
    *("id", "run_id", "step_key", "attempt", "state", "image", "gpus", "memory_gb", "lease_seconds"),
    *("node", "container", "exit_code", "reason", "source", "log_tail"),
)
_OPEN = step_leases.c.state.in_(("requested", "running"))


def lost_after(lease_seconds: float) -> float:
    """Seconds without renewal after which a step is dead for certain, its node's clock drifting or not."""
    return lease_seconds + KILL_SECONDS + MARGIN_SECONDS


def lease_id(run_id: str, step_key: str, attempt: int) -> str:
    """The same for the same attempt, always: also the name of its service, so that creating is idempotent."""
    return f"cv-{hash_values({'run': run_id, 'step': step_key, 'attempt': attempt})[:32]}"


@dataclass(frozen=True)
class Lease:
    """An attempt at a step, as the database has it.

    Attributes:
        id: its name, and its service's.
        run_id, step_key, attempt: which one; the first attempt is 0.
        state: `requested`, `running`, `ended` or `revoked`.
        image: that its container was asked for with.
        gpus: how many it was asked for with.
        memory_gb: its limit, in GB (10⁹ bytes).
        lease_seconds: without renewal, after which its guard kills it.
        node, container: where it runs, once it does.
        exit_code, log_tail: how it ended, in its guard's words.
        reason: how it ended, or why it was taken back; a short code.
        source: of the error, where it was taken back for one.
        age: seconds since it was requested.
        silent: seconds since its guard was last heard of; None before the first time.
        ended: seconds since it ended; None before.
        devices: the GPUs that it has, by their numbers on the node.
    """

    id: str
    run_id: str
    step_key: str
    attempt: int
    state: str
    image: str
    gpus: int
    memory_gb: float | None
    lease_seconds: float
    node: str | None
    container: str | None
    exit_code: int | None
    reason: str
    source: str
    log_tail: str
    age: float
    silent: float | None
    ended: float | None
    devices: tuple[int, ...] = ()


def request(
    database: Engine,
    run_id: str,
    step_key: str,
    attempt: int,
    image: str,
    gpus: int,
    memory_gb: float | None,
    lease_seconds: float,
) -> str:
    """Note that an attempt is about to get a container; to do so again changes nothing. Returns its id."""
    name = lease_id(run_id, step_key, attempt)
    row = {"id": name, "run_id": run_id, "step_key": step_key, "attempt": attempt, "state": "requested"}
    asked = {"image": image, "gpus": gpus, "memory_gb": memory_gb, "lease_seconds": lease_seconds}
    with database.begin() as connection:
        statement = insert_into(connection, step_leases).on_conflict_do_nothing()
        connection.execute(statement, [row | asked])
    return name


def describe(database: Engine, name: str, image: str, memory_gb: float | None) -> None:
    """Note what an attempt that was requested is launched with."""
    asked = update(step_leases).where(step_leases.c.id == name, step_leases.c.state == "requested")
    _changes(database, asked.values(image=image, memory_gb=memory_gb))


def begin(database: Engine, name: str, holder: str, node: str, container: str) -> bool:
    """Take an attempt for a guard; False where another one has it, or it was revoked or has ended.

    The same holder may ask again: the answer to the first time may have been lost.
    """
    mine = (step_leases.c.state == "running") & (step_leases.c.holder == holder)
    take = update(step_leases).where(step_leases.c.id == name, (step_leases.c.state == "requested") | mine)
    values = {"state": "running", "holder": holder, "node": node, "container": container}
    return _changes(database, take.values(**values, began_at=now(), renewed_at=now()))


def renew(database: Engine, name: str, holder: str) -> bool:
    """Say that a guard lives; False where the attempt is not its own any more."""
    mine = (step_leases.c.id == name) & (step_leases.c.state == "running") & (step_leases.c.holder == holder)
    return _changes(database, update(step_leases).where(mine).values(renewed_at=now()))


def end(database: Engine, name: str, holder: str, exit_code: int, reason: str, log_tail: str) -> None:
    """Say how an attempt ended, and give its GPUs back; one that was revoked stays so, and keeps the reason."""
    mine = update(step_leases).where(step_leases.c.id == name, step_leases.c.holder == holder)
    with database.begin() as connection:
        connection.execute(mine.values(exit_code=exit_code, log_tail=log_tail.replace("\0", ""), ended_at=now()))
        connection.execute(mine.where(step_leases.c.state == "running").values(state="ended", reason=reason))
        connection.execute(delete(gpu_claims).where(gpu_claims.c.lease_id == name))


def revoke(
    database: Engine,
    name: str,
    reason: str,
    source: str = "infrastructure",
    silent_for: float | None = None,
    unbegun: bool = False,
) -> bool:
    """Take an attempt away from whoever has it; False where it is over already.

    Args:
        database: where it is.
        name: its id.
        reason: why; a short code.
        source: of the error, as in cv_pipelines.errors.
        silent_for: only where its guard was not heard of for so many seconds.
        unbegun: only where no guard has begun.
    """
    wanted: list[ColumnElement[bool]] = [step_leases.c.id == name, _OPEN]
    if silent_for is not None:
        wanted.append(step_leases.c.renewed_at < ago(silent_for))
    if unbegun:
        wanted.append(step_leases.c.state == "requested")
    taken = update(step_leases).where(*wanted)
    return _changes(database, taken.values(state="revoked", reason=reason, source=source))


def revoke_run(database: Engine, run_id: str, reason: str) -> int:
    """Take every open attempt of a run away; returns how many."""
    taken = update(step_leases).where(step_leases.c.run_id == run_id, _OPEN)
    with database.begin() as connection:
        return connection.execute(taken.values(state="revoked", reason=reason)).rowcount


def leases_of(database: Engine, run_id: str) -> dict[str, Lease]:
    """All attempts at steps of a run, by their ids."""
    held = select(gpu_claims.c.lease_id, gpu_claims.c.device).order_by(gpu_claims.c.device)
    of_run = held.join(step_leases, step_leases.c.id == gpu_claims.c.lease_id)
    with database.connect() as connection:
        rows = connection.execute(_leases().where(step_leases.c.run_id == run_id)).all()
        devices: dict[str, tuple[int, ...]] = {}
        for name, device in connection.execute(of_run.where(step_leases.c.run_id == run_id)):
            devices[name] = (*devices.get(name, ()), device)
    return {row.id: Lease(**row._mapping, devices=devices.get(row.id, ())) for row in rows}


def find_leases(database: Engine, names: list[str]) -> dict[str, Lease]:
    """Attempts by their ids, without their GPUs; those that are not there are left out."""
    with database.connect() as connection:
        rows = connection.execute(_leases().where(step_leases.c.id.in_(names))).all()
    return {row.id: Lease(**row._mapping) for row in rows}


def open_runs(database: Engine) -> set[str]:
    """Ids of runs with attempts that are not over."""
    with database.connect() as connection:
        return set(connection.scalars(select(step_leases.c.run_id).where(_OPEN).distinct()))


def prune(database: Engine, days: float) -> int:
    """Forget attempts that are over and were requested so many days ago; returns how many."""
    old = delete(step_leases).where(step_leases.c.created_at < ago(days * 86400), ~_OPEN)
    with database.begin() as connection:
        return connection.execute(old).rowcount


def _leases() -> Select[Any]:
    plain = [step_leases.c[name] for name in _COLUMNS]
    heard = seconds_since(step_leases.c.renewed_at).label("silent")
    ended = seconds_since(step_leases.c.ended_at).label("ended")
    return select(*plain, seconds_since(step_leases.c.created_at).label("age"), heard, ended)


def _changes(database: Engine, statement: Update) -> bool:
    with database.begin() as connection:
        return connection.execute(statement).rowcount == 1
