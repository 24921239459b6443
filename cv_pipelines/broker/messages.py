"""Messages as they come and go, without anything of the library that carries them."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it was delivered; header values are whatever the publisher made of them."""

    body: bytes
    message_id: str | None
    correlation_id: str | None
    reply_to: str | None
    content_type: str | None
    headers: dict[str, Any]
    redelivered: bool
    exchange: str
    routing_key: str


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to publish; it is kept on disk where it arrives, and does not expire.

    Attributes:
        exchange: empty for the default one, where the routing key names a queue.
        routing_key: at most 255 bytes.
        body: its content.
        message_id: at most 255 bytes.
        correlation_id: at most 255 bytes.
        headers: plain values: text, numbers, lists, dictionaries.
        mandatory: whether it counts as failed when it reaches no queue.
        content_type: of the body.
    """

    exchange: str
    routing_key: str
    body: bytes
    message_id: str | None = None
    correlation_id: str | None = None
    headers: dict[str, Any] = field(default_factory=dict)
    mandatory: bool = False
    content_type: str = "application/json"
