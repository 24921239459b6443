"""Messages that cannot be tasks: kept as dead letters, and told, inside a transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter, itemgetter
from typing import Any

from sqlalchemy import Connection, update

from cv_pipelines.database.clock import now
from cv_pipelines.database.task_tables import dead_letters
from cv_pipelines.database.upsert import insert_into
from cv_pipelines.tasks.ledger.changes import AT_ONCE, add_events, receivers
from cv_pipelines.tasks.ledger.ledger import AnyRow, Ledger


@dataclass(frozen=True)
class Refusal:
    """A message that cannot be a task.

    Attributes:
        fingerprint: the same for the same message, however often it comes.
        row: it and the reason, as columns of `dead_letters`.
        again: whether it is no new message of its sender: who was told of it is not told once more.
    """

    fingerprint: str
    row: dict[str, Any]
    again: bool


def keep(connection: Connection, ledger: Ledger, refusals: Sequence[Refusal]) -> list[int]:
    """Keep messages as dead letters, and tell of them; returns ids of events.

    One that comes again is the same letter, open again. Its sender is told the first time, and whenever he has
    sent it anew; of copies that come together once.
    """
    in_order = sorted(
        refusals, key=attrgetter("fingerprint")
    )  # who writes what another one just does waits for it
    copies = {name: list(some) for name, some in groupby(in_order, attrgetter("fingerprint"))}
    rows = [
        {**some[-1].row, "fingerprint": name, "state": "open", "times": len(some)} for name, some in copies.items()
    ]
    pending: dict[int, list[str]] = {}
    for start in range(0, len(rows), AT_ONCE):
        for row in connection.execute(_upsert(connection), rows[start : start + AT_ONCE]).all():
            same = copies[row.fingerprint]
            if row.times == len(same) or not all(one.again for one in same):
                pending[row.id] = receivers(ledger, row.reply, "rejected")
    return _tell(connection, {number: names for number, names in pending.items() if names})


def _upsert(connection: Connection) -> Any:
    statement = insert_into(connection, dead_letters)
    again = {
        "state": "open",
        "times": dead_letters.c.times + statement.excluded.times,
        "received_at": now(),
        "decided_at": None,
        "code": statement.excluded.code,
        "reason": statement.excluded.reason,
    }
    columns = (dead_letters.c[name] for name in ("id", "fingerprint", "times", "reply"))
    return statement.on_conflict_do_update(index_elements=["fingerprint"], set_=again).returning(*columns)


def _tell(connection: Connection, pending: Mapping[int, list[str]]) -> list[int]:
    """Add an event for each of some letters, numbered after its last one."""
    numbers = list(pending)
    found: list[AnyRow] = []
    for start in range(0, len(numbers), AT_ONCE):
        some = update(dead_letters).where(dead_letters.c.id.in_(numbers[start : start + AT_ONCE]))
        counted = some.values(last_event=dead_letters.c.last_event + 1)
        found += connection.execute(counted.returning(dead_letters.c.id, dead_letters.c.last_event)).all()
    common = {"state": "rejected", "progress": None, "delivery": "open"}
    rows = [
        {"dead_letter_id": row.id, "number": row.last_event, "pending": pending[row.id], **common} for row in found
    ]
    return add_events(connection, sorted(rows, key=itemgetter("dead_letter_id")))
