"""What the broker has sent on one channel, until it is taken and acknowledged."""

import time
from collections.abc import Callable
from typing import Any

from cv_pipelines.broker.link import Link
from cv_pipelines.broker.messages import Message
from cv_pipelines.errors import InfrastructureError

MOST_BYTES = 16 << 20
"""A list of large messages is handed over early: what is not read yet waits in the broker."""
_CONSUMER = "intake"


class Inbox:
    """What the broker has sent and nobody has taken yet."""

    def __init__(self, link: Link) -> None:
        self.cancelled = False
        self._link = link
        self._messages: list[Message] = []
        self._acknowledged = 0
        self._bytes = 0
        self._last = 0.0

    def subscribe(self, queue: str, window: int, seconds: float) -> int:
        """Ask for messages; returns how many the broker says there are.

        Raises:
            InputError: this user may not read from the queue.
            InfrastructureError: there is no such queue, or no answer in time.
        """
        declared: list[Any] = []
        subscribed: list[Any] = []
        channel = self._link.channel
        channel.add_on_cancel_callback(self._on_cancel)
        channel.queue_declare(queue, passive=True, callback=declared.append)
        channel.basic_qos(prefetch_count=window)
        channel.basic_consume(queue, self._on_message, consumer_tag=_CONSUMER, callback=subscribed.append)
        if not self._link.run(lambda: bool(subscribed), time.monotonic() + seconds):
            raise self._link.error()
        return int(declared[0].method.message_count)

    def wait(self, wanted: int, end: float, idle: float, patience: float) -> None:
        """Read until a list is full, or nothing more comes.

        Args:
            wanted: messages of a full list.
            end: by time.monotonic(); not waited beyond.
            idle: seconds without a message, after one, that mean that nothing more comes.
            patience: the same, before the first one.
        """
        self._last = time.monotonic()
        while not self.is_full(wanted) and self._link.failure is None and not self.cancelled:
            limit = min(end, self._last + (idle if self._messages else max(idle, patience)))
            before = len(self._messages)
            self._link.run(lambda: self.is_full(wanted) or self.cancelled, limit)
            if len(self._messages) == before and time.monotonic() >= limit:
                return
            if time.monotonic() >= end:
                return

    def is_full(self, wanted: int) -> bool:
        """Whether there are as many messages as wanted, or as many bytes as may be held."""
        return len(self._messages) >= wanted or self._bytes >= MOST_BYTES

    def is_over(self) -> bool:
        """Whether the queue sends no more, and what it had sent has been taken."""
        return self.cancelled and not self._messages

    def hand_over(self, take: Callable[[list[Message]], None], wanted: int) -> int:
        """Have the messages taken, as many as wanted at most; returns how many."""
        if self._link.failure is not None:
            return 0  # they are in the queue again
        messages, self._messages = self._messages[:wanted], self._messages[wanted:]
        self._bytes = sum(len(message.body) for message in self._messages)
        if messages:
            take(messages)
        return len(messages)

    def unsubscribe(self) -> None:
        """Have the broker send no more; before the last acknowledgement, for that makes room for more."""
        if self._link.failure is None and not self.cancelled:
            self._link.channel.basic_cancel(_CONSUMER)

    def acknowledge(self, count: int) -> None:
        """Tell the broker that it may forget the first so many messages: it numbers those of a channel from 1."""
        if count > self._acknowledged and self._link.failure is None:
            self._link.channel.basic_ack(count, multiple=True)
            self._acknowledged = count

    def complain(self, queue: str) -> None:
        """Raise what was the reason that nothing came, where that was not that there is nothing."""
        if self._link.failure is not None:
            raise self._link.error()
        if self.cancelled:
            message = f"The broker ended the delivery of '{queue}': the queue was deleted, or its node stopped."
            raise InfrastructureError("broker", message)

    def _on_message(self, _: Any, delivery: Any, properties: Any, body: bytes) -> None:
        headers = properties.headers
        self._messages.append(
            Message(
                body,
                _text(properties.message_id),
                _text(properties.correlation_id),
                _text(properties.reply_to),
                _text(properties.content_type),
                {str(_text(name)): value for name, value in headers.items()} if headers else {},
                delivery.redelivered,
                str(_text(delivery.exchange)),
                str(_text(delivery.routing_key)),
            )
        )
        self._bytes += len(body)
        self._last = time.monotonic()

    def _on_cancel(self, _: Any) -> None:
        self.cancelled = True


def _text(value: str | bytes | None) -> str | None:
    """A short string; pika gives bytes for what is not UTF-8, which then is shown escaped."""
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else value
