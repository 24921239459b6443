"""Messages into the ledger: each becomes a task, is one already, or is a dead letter; nothing is lost."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, select

from cv_pipelines.database.clock import now
from cv_pipelines.database.task_tables import tasks
from cv_pipelines.database.upsert import insert_into
from cv_pipelines.failpoints import fail_point
from cv_pipelines.tasks.kinds.registry import kind_of
from cv_pipelines.tasks.ledger.changes import AT_ONCE, Change, record
from cv_pipelines.tasks.ledger.ledger import Ledger
from cv_pipelines.tasks.ledger.refusing import Refusal, keep
from cv_pipelines.tasks.parsing import MAX_BYTES, ParsedTask, Rejected, parse_task
from cv_pipelines.tasks.refusals import sender_of

CONFLICT = "conflict"


@dataclass(frozen=True)
class Letter:
    """A message as it came, from wherever.

    Attributes:
        body: the bytes.
        message_id, reply_to, correlation_id: AMQP properties, where it had them.
        headers: AMQP headers, as text.
        problem: code and reason why it is a dead letter whatever its body says (the broker gave it up).
        again: whether its sender has not sent it anew: the broker delivers it once more, or a person replays it.
    """

    body: bytes
    message_id: str | None = None
    reply_to: str | None = None
    correlation_id: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    problem: tuple[str, str] | None = None
    again: bool = False

    @property
    def fingerprint(self) -> str:
        """The same for the same message, however often it comes."""
        parts = (self.message_id, self.reply_to, self.correlation_id)
        return hashlib.sha256(repr(parts).encode("utf-8", "replace") + self.body).hexdigest()


@dataclass(frozen=True)
class Received:
    """What became of some messages: ids of new tasks, numbers of the others, events to tell of."""

    accepted: list[str]
    duplicates: int
    refused: list[Rejected]
    events: list[int]


def receive(ledger: Ledger, letters: Sequence[Letter], allow: tuple[str, ...] = ()) -> Received:
    """Write messages into the ledger, in one transaction; to do so again changes nothing.

    Args:
        ledger: where to.
        letters: any number.
        allow: hosts and networks that webhooks may be at though they are not public.
    """
    parsed, refused = _parse(letters, allow)
    with ledger.database.begin() as connection:
        fresh = _add_tasks(connection, [task for _, task in parsed])
        known = _digests(
            connection, [task.message.task_id for _, task in parsed if task.message.task_id not in fresh]
        )
        for letter, task in parsed:
            stored = fresh.get(task.message.task_id) or known.get(task.message.task_id)
            if stored != task.digest:
                refused.append((letter, Rejected(CONFLICT, "Another message has had this task_id before.")))
        told = keep(connection, ledger, [_refusal(letter, problem, allow) for letter, problem in refused])
        told += record(connection, ledger, [Change(_new(task), "queued") for task in _firsts(parsed, fresh)])
        fail_point("intake.before_commit")
    problems = [problem for _, problem in refused]
    return Received(sorted(fresh), len(letters) - len(fresh) - len(problems), problems, told)


@dataclass(frozen=True)
class _New:
    """A task that is just being written, as `record` wants to see it."""

    id: str
    reply: Mapping[str, Any] | None
    last_event: int = 0


def _new(task: ParsedTask) -> Any:
    return _New(task.message.task_id, _reply(task))


def _parse(
    letters: Sequence[Letter], allow: tuple[str, ...]
) -> tuple[list[tuple[Letter, ParsedTask]], list[tuple[Letter, Rejected]]]:
    parsed: list[tuple[Letter, ParsedTask]] = []
    refused: list[tuple[Letter, Rejected]] = []
    for letter in letters:
        try:
            if letter.problem:
                raise Rejected(*letter.problem)
            task = parse_task(letter.body, letter.message_id, letter.reply_to, letter.correlation_id, allow)
            parsed.append((letter, task))
        except Rejected as problem:
            refused.append((letter, problem))
    return parsed, refused


def _firsts(parsed: Sequence[tuple[Letter, ParsedTask]], fresh: Mapping[str, str]) -> list[ParsedTask]:
    """The message that each new task was made of."""
    found: dict[str, ParsedTask] = {}
    for _, task in parsed:
        if fresh.get(task.message.task_id) == task.digest:
            found.setdefault(task.message.task_id, task)
    return list(found.values())


def _add_tasks(connection: Connection, parsed: Sequence[ParsedTask]) -> dict[str, str]:
    """Insert what is not there; returns the digests of the new ones by id."""
    first: dict[str, ParsedTask] = {}
    for task in parsed:
        first.setdefault(task.message.task_id, task)
    came = connection.scalars(select(now())).one()
    rows = [_task_row(task, came + timedelta(microseconds=place)) for place, task in enumerate(first.values())]
    rows.sort(key=itemgetter("id"))  # in one order: who inserts what another one just does waits for it
    statement = insert_into(connection, tasks).on_conflict_do_nothing().returning(tasks.c.id)
    added: list[str] = []
    for start in range(0, len(rows), AT_ONCE):
        added += connection.scalars(statement, rows[start : start + AT_ONCE]).all()
    return {name: first[name].digest for name in added}


def _digests(connection: Connection, ids: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for start in range(0, len(ids), AT_ONCE):
        some = tasks.c.id.in_(ids[start : start + AT_ONCE])
        found |= {row.id: row.digest for row in connection.execute(select(tasks.c.id, tasks.c.digest).where(some))}
    return found


def _task_row(task: ParsedTask, came: datetime) -> dict[str, Any]:
    message = task.message
    kind = kind_of(message.kind)
    return {
        "id": message.task_id,
        "kind": message.kind,
        "params": message.params.model_dump(mode="json"),
        "digest": task.digest,
        "batch_key": kind.batch_key(message.task_id, message.params),
        "size": kind.size(message.params),
        "priority": message.priority,
        "deadline": message.deadline,
        "reply": _reply(task),
        "submitted_by": message.submitted_by,
        "state": "queued",
        "created_at": came,
    }


def _reply(task: ParsedTask) -> dict[str, Any] | None:
    return task.message.reply.model_dump(mode="json") if task.message.reply else None


def _refusal(letter: Letter, problem: Rejected, allow: tuple[str, ...]) -> Refusal:
    sender = sender_of(letter.body, letter.message_id, letter.reply_to, letter.correlation_id, allow)
    row = {
        "body": letter.body[:MAX_BYTES],
        "size": len(letter.body),
        "message_id": _text(letter.message_id),
        "reply_to": _text(letter.reply_to),
        "correlation_id": _text(letter.correlation_id),
        "headers": {str(_text(name)): _text(value) for name, value in letter.headers.items()},
        "code": problem.code,
        "reason": _text(problem.reason),
        **vars(sender),
    }
    return Refusal(letter.fingerprint, row, letter.again)


def _text(value: str | None) -> str | None:
    """Text that every database takes: no zero bytes, no halves of characters."""
    return None if value is None else value.replace("\0", "\\0").encode("utf-8", "backslashreplace").decode()
