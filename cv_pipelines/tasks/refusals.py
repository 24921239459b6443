"""What can be told of a message that is refused, and to whom: as much as can be read of it."""

from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from cv_pipelines.tasks.fields import ShortText, TaskId
from cv_pipelines.tasks.kinds.registry import is_kind
from cv_pipelines.tasks.message import QueueReply, Reply, WebhookReply
from cv_pipelines.tasks.parsing import Rejected, check_reply, read_object

T = TypeVar("T")
_TASK_ID: TypeAdapter[str] = TypeAdapter(TaskId)
_SHORT: TypeAdapter[str] = TypeAdapter(ShortText)
_REPLY: TypeAdapter[QueueReply | WebhookReply] = TypeAdapter(Reply)


@dataclass(frozen=True)
class Sender:
    """Who is told, and by which names; each is None where the message does not say it, or not properly."""

    task_id: str | None
    kind: str | None
    reply: dict[str, Any] | None


def sender_of(
    body: bytes,
    message_id: str | None = None,
    reply_to: str | None = None,
    correlation_id: str | None = None,
    allow: tuple[str, ...] = (),
) -> Sender:
    """Read what a message says of its sender, whatever else is wrong with it.

    Args:
        body: as it came.
        message_id: the AMQP property; counts before the body's `task_id`.
        reply_to: the AMQP property; counts before the body's `reply`.
        correlation_id: the AMQP property.
        allow: hosts and networks that webhooks may be at though they are not public.
    """
    try:
        raw = read_object(body)
    except Rejected:
        raw = {}
    kind = raw.get("kind")
    reply: QueueReply | WebhookReply | None
    if reply_to:
        queue, correlation = _valid(_SHORT, reply_to), _valid(_SHORT, correlation_id)
        reply = QueueReply(reply_to=queue, correlation_id=correlation) if queue else None
    else:
        reply = _valid(_REPLY, raw.get("reply"))
    try:
        check_reply(reply, allow)
    except Rejected:
        reply = None
    return Sender(
        _valid(_TASK_ID, message_id) or _valid(_TASK_ID, raw.get("task_id")),
        kind if isinstance(kind, str) and is_kind(kind) else None,
        reply.model_dump(mode="json") if reply else None,
    )


def _valid(adapter: TypeAdapter[T], value: object) -> T | None:
    try:
        return adapter.validate_python(value)
    except ValidationError:
        return None
