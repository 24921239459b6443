"""What holds for the ledger at every moment, whoever died, came twice or came too late.

Plain functions over an engine: any test that has a ledger can ask.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine, Row, select

from cv_pipelines.database.task_tables import attempts, dead_letters, events, tasks
from cv_pipelines.tasks.kinds.registry import kind_of
from cv_pipelines.tasks.ledger.claims import MOST_RUNS
from cv_pipelines.tasks.ledger.intake import Letter
from cv_pipelines.tasks.ledger.outbox import MOST_TRIES
from cv_pipelines.tasks.ledger.policy import MOST_ATTEMPTS
from cv_pipelines.tasks.parsing import Rejected, parse_task
from cv_pipelines.tasks.states import FINAL, UNFINISHED

Rows = list[Row[Any]]


def violations(database: Engine, forgotten: bool = False) -> list[str]:
    """Everything that is wrong with a ledger, in words; nothing where all is well.

    Args:
        database: where it is.
        forgotten: whether events may have been deleted since, because they were old.
    """
    with database.connect() as connection:
        if database.dialect.name == "postgresql":  # all of it at one moment
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        rows = {table.name: list(connection.execute(select(table))) for table in (tasks, attempts, events)}
        letters = list(connection.execute(select(dead_letters)))
    by_id = {row.id: row for row in rows["attempts"]}
    told = defaultdict(list)
    for row in sorted(rows["events"], key=lambda row: row.number):
        told[row.task_id or row.dead_letter_id].append(row)
    found = [f"task {row.id}: {wrong}" for row in rows["tasks"] for wrong in _of_task(row, by_id)]
    found += [
        f"task {row.id}: {wrong}" for row in rows["tasks"] for wrong in _of_story(row, told[row.id], forgotten)
    ]
    found += [f"event {row.id}: {wrong}" for row in rows["events"] for wrong in _of_event(row)]
    found += [
        f"dead letter {row.id}: {wrong}" for row in letters for wrong in _of_letter(row, told[row.id], forgotten)
    ]
    return found + list(_of_attempts(rows["attempts"]))


def check(database: Engine, forgotten: bool = False) -> None:
    """Fail where something is wrong with a ledger."""
    found = violations(database, forgotten)
    assert not found, "\n".join(found)


def unfinished(database: Engine) -> list[str]:
    """Tasks that have not ended yet."""
    with database.connect() as connection:
        return list(connection.scalars(select(tasks.c.id).where(tasks.c.state.in_(UNFINISHED))))


def lost(database: Engine, confirmed: Iterable[Letter]) -> list[Letter]:
    """Messages that are neither a task nor a dead letter, of those that nobody will send again."""
    with database.connect() as connection:
        digests = {row.id: row.digest for row in connection.execute(select(tasks.c.id, tasks.c.digest))}
        fingerprints = set(connection.scalars(select(dead_letters.c.fingerprint)))
    return [one for one in confirmed if one.fingerprint not in fingerprints and not _is_task(one, digests)]


@dataclass
class Witness:
    """Remembers how tasks have ended, and sees whether that changes."""

    database: Engine
    ended: dict[str, Any] = field(default_factory=dict)
    forgotten: bool = False

    def check(self) -> None:
        """Fail where something is wrong, or where a task that had ended is different now."""
        check(self.database, self.forgotten)
        columns = [tasks.c[name] for name in ("id", "state", "result", "error", "epoch", "attempt", "finished_at")]
        with self.database.connect() as connection:
            now = {row.id: row for row in connection.execute(select(*columns).where(tasks.c.state.in_(FINAL)))}
        changed = {name: (was, now.get(name)) for name, was in self.ended.items() if now.get(name) != was}
        assert not changed, f"These had ended otherwise: {changed}"
        self.ended = now

    def forget(self) -> None:
        """Allow for tasks and events that have been deleted."""
        self.ended.clear()
        self.forgotten = True


def _of_task(row: Row[Any], by_id: dict[int, Row[Any]]) -> Iterator[str]:
    attempt = by_id.get(row.attempt)
    if row.state in UNFINISHED and row.attempt is not None and (attempt is None or attempt.state != "open"):
        yield "it waits for an attempt that is closed"
    if row.state == "running" and (attempt is None or attempt.epoch < 1 or attempt.run_id is None):
        yield "it is running, and no run has begun it"
    if row.state == "queued" and row.cancel:
        yield "it is cancelled, and still queued"
    if row.state == "succeeded":
        if attempt is None or row.epoch is None or row.epoch > attempt.epoch:
            yield f"it has succeeded in epoch {row.epoch} of {attempt}"
        if row.result is None or row.error is not None:
            yield "it has succeeded without a result, or with an error"
    elif row.result is not None:
        yield f"it is {row.state}, and has a result"
    if row.state in FINAL and row.state != "succeeded" and row.error is None:
        yield f"it is {row.state}, and nobody knows why"
    if (row.finished_at is not None) != (row.state in FINAL):
        yield f"it is {row.state}, and its end was at {row.finished_at}"
    if row.attempts > max(MOST_ATTEMPTS.values()) or (row.attempt is not None and row.attempts == 0):
        yield f"it has had {row.attempts} attempts"
    if (
        row.state == "queued"
        and row.error
        and row.attempts >= MOST_ATTEMPTS[row.error["source"]] + (row.attempt is not None)
    ):
        yield f"it is tried again after {row.error} and {row.attempts} attempts"


def _of_story(row: Row[Any], story: Rows, forgotten: bool) -> Iterator[str]:
    """The events of a task."""
    numbers = [event.number for event in story]
    if numbers != list(range(1, row.last_event + 1)) and not forgotten:
        yield f"its events are {numbers}, the last one should be {row.last_event}"
    if any(event.number == row.last_event and event.state != row.state for event in story):
        yield f"it is {row.state}, its events say {[event.state for event in story]}"
    if any(event.state in FINAL and event.number != row.last_event for event in story):
        yield f"it has ended in the middle: {[event.state for event in story]}"


def _of_event(row: Row[Any]) -> Iterator[str]:
    if (row.task_id is None) != (row.state == "rejected"):
        yield f"it says {row.state} of task {row.task_id}, dead letter {row.dead_letter_id}"
    if (row.delivery == "delivered") != (row.pending == []):
        yield f"it is {row.delivery}, and {row.pending} have to be told"
    if row.delivery == "open" and row.tries >= MOST_TRIES and row.pending == ["webhook"]:
        yield f"it is open after {row.tries} tries"
    if row.delivery == "abandoned" and (row.tries < MOST_TRIES or not row.reason):
        yield f"it is abandoned after {row.tries} tries, because: '{row.reason}'"


def _of_letter(row: Row[Any], story: Rows, forgotten: bool) -> Iterator[str]:
    numbers = [event.number for event in story]
    if row.reply and not forgotten and numbers[:1] != [1]:
        yield f"its sender can be told, and was told {numbers}"
    if numbers != sorted(set(numbers)) or any(not 1 <= number <= row.times for number in numbers):
        yield f"it came {row.times} times, its events are {numbers}"
    if any(event.state != "rejected" for event in story):
        yield f"its events say {[event.state for event in story]}"
    if row.times < 1 or not row.code or not row.reason:
        yield "it has no reason"
    if (row.decided_at is None) != (row.state == "open"):
        yield f"it is {row.state}, decided at {row.decided_at}"


def _of_attempts(rows: Rows) -> Iterator[str]:
    for row in rows:
        if (row.closed_at is None) != (row.state == "open") or (row.epoch > 0) != (row.run_id is not None):
            yield f"attempt {row.id}: half of it was written: {row}"
    for kind, number in Counter(row.kind for row in rows if row.state == "open").items():
        if number > (1 if kind_of(kind).together else MOST_RUNS):
            yield f"{number} attempts of {kind} at once"


def _is_task(one: Letter, digests: dict[str, str]) -> bool:
    try:
        parsed = parse_task(one.body, one.message_id, one.reply_to, one.correlation_id)
    except Rejected:
        return False
    return digests.get(parsed.message.task_id) == parsed.digest
