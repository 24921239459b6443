"""Taking a task from somebody who waits for the answer: what is wrong is told, and becomes no dead letter."""

from dataclasses import dataclass

from sqlalchemy import select

from cv_pipelines.database.engine import reading
from cv_pipelines.database.task_tables import tasks
from cv_pipelines.tasks.ledger.intake import CONFLICT, Letter, receive
from cv_pipelines.tasks.ledger.ledger import Ledger
from cv_pipelines.tasks.parsing import Rejected, parse_task


@dataclass(frozen=True)
class Submitted:
    """A task that is in the ledger: whether it was not before, and events to tell of."""

    task_id: str
    is_new: bool
    events: list[int]


def submit(ledger: Ledger, body: bytes, allow: tuple[str, ...] = ()) -> Submitted:
    """Write a message into the ledger; to do so again changes nothing.

    Args:
        ledger: where to.
        body: the message, as it would come from the broker.
        allow: hosts and networks that webhooks may be at though they are not public.

    Raises:
        Rejected: it can be no task, or another message has had its id.
    """
    parsed = parse_task(body, allow=allow)
    name = parsed.message.task_id
    with reading(ledger.database) as connection:
        stored = connection.scalar(select(tasks.c.digest).where(tasks.c.id == name))
    if stored is not None and stored != parsed.digest:
        raise Rejected(CONFLICT, f"task_id: another task has had the id {name} before.")
    received = receive(ledger, [Letter(body)], allow)
    if received.refused:  # another task has taken the id just now: rare, and kept as a dead letter
        raise received.refused[0]
    return Submitted(name, bool(received.accepted), received.events)
