"""Messages that cannot be tasks: kept as dead letters, and told, inside a transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection

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
    told: list[dict[str, Any]] = []
    for start in range(0, len(rows), AT_ONCE):
        for row in connection.execute(_upsert(connection), rows[start : start + AT_ONCE]).all():
            same = copies[row.fingerprint]
            pending = receivers(ledger, row.reply, "rejected")
            if pending and (row.times == len(same) or not all(one.again for one in same)):
                told.append(_event(row, pending))
    return add_events(connection, told)


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


def _event(letter: AnyRow, pending: list[str]) -> dict[str, Any]:
    return {
        "dead_letter_id": letter.id,
        "number": letter.times,
        "state": "rejected",
        "progress": None,
        "delivery": "open",
        "pending": pending,
    }
