"""The bytes of a message as a task, or the reason why they are none.

Whatever comes, it is one of the two: the bytes are a stranger's.
"""

import json
from collections import Counter
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from pydantic import ValidationError
from pydantic_core import to_json

from cv_pipelines.errors import InputError
from cv_pipelines.tasks.fields import legible
from cv_pipelines.tasks.kinds.registry import kind_of
from cv_pipelines.tasks.message import TASKS, QueueReply, TaskMessage, WebhookReply
from cv_pipelines.tasks.webhook_urls import webhook_problem

MAX_BYTES = 256 << 10
MAX_DEPTH = 64
_SHOWN = 5
_DIRECT_REPLY = "amq.rabbitmq.reply-to"
"""Names that are no queues: a broker closes the connection of whoever publishes to one that is not right."""


class Rejected(InputError):  # noqa: N818 - the word of the contract, a state of a task
    """A message that can be no task, with a reason that names the field."""

    @property
    def reason(self) -> str:
        """What is wrong, in words, legible whatever the message held."""
        return self.user_message


@dataclass(frozen=True)
class ParsedTask:
    """A message that can be a task.

    Attributes:
        message: what it says; its `reply` as it counts, AMQP properties included.
        digest: SHA-256 (hex) of what it asks for: the same however it was written, and whoever is told.
    """

    message: TaskMessage
    digest: str


def parse_task(
    body: bytes,
    message_id: str | None = None,
    reply_to: str | None = None,
    correlation_id: str | None = None,
    allow: tuple[str, ...] = (),
) -> ParsedTask:
    """Read a message.

    Args:
        body: JSON in UTF-8, at most 256 KiB.
        message_id: the AMQP property; where it is given, it is the task's id.
        reply_to: the AMQP property; takes the place of `reply` where the body has none.
        correlation_id: the AMQP property, for whoever waits at `reply_to`.
        allow: hosts and networks that webhooks may be at though they are not public.

    Raises:
        Rejected: it can be no task.
    """
    raw = read_object(body)
    _require_kind(raw.get("kind"))
    if reply_to or correlation_id:
        _fill_reply(raw, reply_to, correlation_id)
    try:
        message = TASKS.validate_python(raw)
    except ValidationError as error:
        raise Rejected("invalid", _problems(error)) from error
    if message_id and message_id != message.task_id:
        raise Rejected("message_id", "task_id: is not the same as the AMQP property message_id.")
    check_reply(message.reply, allow)
    return ParsedTask(message, _digest(message))


def check_reply(reply: QueueReply | WebhookReply | None, allow: tuple[str, ...]) -> None:
    """See whether what a valid `reply` names can be told.

    Raises:
        Rejected: it cannot.
    """
    if isinstance(reply, QueueReply) and reply.reply_to.startswith(_DIRECT_REPLY):
        raise Rejected("reply", "reply.reply_to: direct reply-to ends with its connection; declare a queue.")
    if isinstance(reply, WebhookReply) and (problem := webhook_problem(reply.webhook, allow)):
        raise Rejected("webhook", f"reply.webhook: {legible(problem)}.")


def read_object(body: bytes) -> dict[str, Any]:
    """The object that a body holds, with nothing in it that readers would read differently.

    Raises:
        Rejected: it holds none, or one that is too large or too deep.
    """
    if len(body) > MAX_BYTES:
        raise Rejected("too_large", f"The message has {len(body):,} bytes; at most {MAX_BYTES:,} are taken.")
    try:
        value = _DECODER.decode(body.decode())
    except UnicodeDecodeError as error:
        raise Rejected("not_utf8", f"The message is not UTF-8: byte {error.start} is wrong.") from error
    except RecursionError as error:
        raise _too_deep() from error
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise Rejected("not_json", f"The message is not JSON: {legible(error.msg)} at {where}.") from error
    except ValueError as error:  # int() takes no more than some thousand digits
        raise Rejected("long_number", "The message has an integer of too many digits.") from error
    if not isinstance(value, dict):
        raise Rejected("not_an_object", "The message must be a JSON object.")
    # as many brackets as may be nested are nested no deeper
    if body.count(b"{") + body.count(b"[") > MAX_DEPTH and _is_deep(value):
        raise _too_deep()
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; two fields of one name mean something else to each reader."""
    found = dict(pairs)
    if len(found) != len(pairs):
        twice, _ = Counter(name for name, _ in pairs).most_common(1)[0]
        raise Rejected("duplicate_key", f"{legible(twice, 100)}: is there more than once.")
    return found


def _refuse_constant(name: str) -> None:
    raise Rejected("not_finite", f"{name} is no JSON.")


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_refuse_constant)


def _require_kind(kind: object) -> None:
    if not isinstance(kind, str):
        raise Rejected("invalid", "kind: must be there, and be text.")
    try:
        kind_of(kind)
    except InputError as error:
        raise Rejected(error.code, f"kind: {error.user_message}") from error


def _is_deep(value: object) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH):
        inner = [
            list(one.values()) if isinstance(one, dict) else one for one in level if isinstance(one, dict | list)
        ]
        level = [child for children in inner for child in children]
    return any(isinstance(one, dict | list) for one in level)


def _too_deep() -> Rejected:
    return Rejected("too_deep", f"The message is nested more than {MAX_DEPTH} deep.")


def _fill_reply(raw: dict[str, Any], reply_to: str | None, correlation_id: str | None) -> None:
    """Put AMQP properties into `reply`, before anything is checked; what says it twice says the same."""
    reply = raw.get("reply")
    if reply is None and reply_to:
        raw["reply"] = {"reply_to": reply_to, "correlation_id": correlation_id or None}
    if not isinstance(reply, dict):
        return
    if reply_to and reply.get("reply_to") != reply_to:
        raise Rejected("reply", "reply: is not the same as the AMQP property reply_to.")
    if correlation_id and "reply_to" in reply:
        if reply.setdefault("correlation_id", correlation_id) is None:
            reply["correlation_id"] = correlation_id
        if reply["correlation_id"] != correlation_id:
            raise Rejected("reply", "reply.correlation_id: is not the same as the AMQP property.")


def _problems(error: ValidationError) -> str:
    """What is wrong with which field; the first few, for a hostile message has thousands."""
    found = error.errors(include_url=False, include_input=False, include_context=False)
    parts = []
    for one in found[:_SHOWN]:
        field = ".".join(str(part) for part in one["loc"][1:]) or "message"  # the first part is the kind
        parts.append(f"{field}: {one['msg']}")
    more = f"; and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return legible("; ".join(parts)) + more


def _digest(message: TaskMessage) -> str:
    # without defaults: a field that is added later does not change the digest of what has come before
    # without the reply: a caller that connects again has another queue, and wants the same task
    values = message.model_dump(mode="json", exclude_defaults=True, exclude={"reply"})
    return sha256(to_json(_in_order(values))).hexdigest()


def _in_order(value: Any) -> Any:
    """JSON values whose objects have their fields in one order, however they were written."""
    if isinstance(value, dict):
        return {name: _in_order(value[name]) for name in sorted(value)}
    return [_in_order(one) for one in value] if isinstance(value, list) else value
