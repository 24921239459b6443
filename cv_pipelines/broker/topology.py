"""The queues and exchanges that tasks come and go by."""

from typing import TYPE_CHECKING

from pika.exceptions import ChannelClosedByBroker

from cv_pipelines.broker.connection import reason
from cv_pipelines.errors import CvError, InfrastructureError, InputError

if TYPE_CHECKING:
    from pika.adapters.blocking_connection import BlockingChannel

TASKS = "cv.tasks"
"""The queue that upstream systems publish tasks to, by the default exchange."""
DEAD_EXCHANGE = "cv.dead"
DEAD_TASKS = "cv.tasks.dead"
"""The queue of what was delivered too often without an answer."""
STATUS_EXCHANGE = "cv.status"
"""The topic exchange of events; routing keys are `<kind>.<state>`."""
DELIVERY_LIMIT = 20

_NEVER = 1_000_000_000
_TASKS = {
    "x-queue-type": "quorum",
    "x-delivery-limit": DELIVERY_LIMIT,  # 4.x has a default, 3.x has none
    "x-dead-letter-exchange": DEAD_EXCHANGE,
    # the default may lose a message on its way; this keeps it until it has arrived, and needs the next line
    "x-dead-letter-strategy": "at-least-once",
    "x-overflow": "reject-publish",
}
_DEAD = {
    "x-queue-type": "quorum",
    "x-delivery-limit": _NEVER,  # 4.x would drop a message after 20 deliveries: there is nowhere further to go
}
_ACCESS_REFUSED, _PRECONDITION_FAILED = 403, 406


def declare(channel: "BlockingChannel") -> None:
    """Make what is not there yet; nothing changes what is. The channel is of no use after an error.

    Raises:
        InputError: a queue or exchange exists with other arguments, or this user may not make them.
        InfrastructureError: the broker closed the channel for another reason.
    """
    try:
        channel.exchange_declare(DEAD_EXCHANGE, "fanout", durable=True)
        channel.exchange_declare(STATUS_EXCHANGE, "topic", durable=True)
        channel.queue_declare(DEAD_TASKS, durable=True, arguments=_DEAD)
        channel.queue_bind(DEAD_TASKS, DEAD_EXCHANGE)
        channel.queue_declare(TASKS, durable=True, arguments=_TASKS)
    except ChannelClosedByBroker as error:
        raise _undeclared(error) from error


def _undeclared(error: ChannelClosedByBroker) -> CvError:
    words = reason(error)
    if error.reply_code == _PRECONDITION_FAILED:
        message = (
            f"The broker has a queue or exchange of this name with other arguments: {words}. "
            "Take what is in it, delete it (rabbitmqctl delete_queue NAME), and start again."
        )
        return InputError("broker_topology", message, repr(error))
    if error.reply_code == _ACCESS_REFUSED:
        message = f"The user in CV_RABBITMQ_URL may not make queues: {words}. Give it the right to configure cv.*."
        return InputError("broker_access", message, repr(error))
    return InfrastructureError("broker", f"The broker did not make the queues: {words}.", repr(error))
