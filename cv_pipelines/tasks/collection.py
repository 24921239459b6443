"""From the broker's queues into the ledger."""

from collections.abc import Callable
from dataclasses import dataclass, field

from cv_pipelines.broker.connection import open_connection
from cv_pipelines.broker.consumer import drain
from cv_pipelines.broker.messages import Message
from cv_pipelines.broker.topology import DEAD_TASKS, DELIVERY_LIMIT, TASKS, declare
from cv_pipelines.failpoints import fail_point
from cv_pipelines.tasks.ledger.intake import Letter, receive
from cv_pipelines.tasks.ledger.ledger import Ledger
from cv_pipelines.tasks.ledger.queries import waiting

NAME = "cv-pipelines tasks"
_GIVEN_UP = ("delivery_limit", f"Delivered {DELIVERY_LIMIT} times without an answer, so the broker gave it up.")
_LONGEST_HEADER = 1000


@dataclass
class Collected:
    """What came: numbers of messages, and events to tell of; `full`: the rest stays in the broker."""

    accepted: int = 0
    duplicates: int = 0
    refused: int = 0
    full: bool = False
    events: list[int] = field(default_factory=list)


def collect(
    ledger: Ledger, url: str, most: int, seconds: float, most_waiting: int, allow: tuple[str, ...] = ()
) -> Collected:
    """Take messages until the queue is empty, or there were enough; each is acknowledged once it is committed.

    Args:
        ledger: where to.
        url: of the broker.
        most: messages at most.
        seconds: of taking at most.
        most_waiting: where so many tasks are queued nothing more is taken.
        allow: hosts and networks that webhooks may be at though they are not public.

    Raises:
        InputError: the broker lets us not in, or has other queues of these names.
        InfrastructureError: it does not answer.
    """
    collected = Collected()
    with open_connection(url, NAME) as connection:
        declare(connection.channel())
    room = most_waiting - waiting(ledger, most_waiting)
    collected.full = room <= 0
    if room > 0 and drain(url, TASKS, _into(ledger, collected, allow), min(most, room), seconds):
        fail_point("intake.acknowledged")
    drain(url, DEAD_TASKS, _into(ledger, collected, allow, _GIVEN_UP), most, seconds)
    return collected


def letter_of(message: Message, problem: tuple[str, str] | None = None) -> Letter:
    """A message as the ledger takes it."""
    headers = {str(name): str(value)[:_LONGEST_HEADER] for name, value in message.headers.items()}
    return Letter(
        message.body,
        message.message_id,
        message.reply_to,
        message.correlation_id,
        headers,
        problem,
        again=message.redelivered,
    )


def _into(
    ledger: Ledger, collected: Collected, allow: tuple[str, ...], problem: tuple[str, str] | None = None
) -> Callable[[list[Message]], None]:
    def take(messages: list[Message]) -> None:
        received = receive(ledger, [letter_of(message, problem) for message in messages], allow)
        fail_point("intake.committed")
        collected.accepted += len(received.accepted)
        collected.duplicates += received.duplicates
        collected.refused += len(received.refused)
        collected.events += received.events

    return take
