"""Publishing with confirms, many under way at once, and never longer than it may take."""

import struct
import time
from collections.abc import Sequence
from typing import Any

from pika.exceptions import AMQPError
from pika.spec import Basic, BasicProperties

from cv_pipelines.broker.link import Link, open_link
from cv_pipelines.broker.messages import Outgoing
from cv_pipelines.errors import CvError

WINDOW = 1000
"""Messages under way: enough to hide the way to the broker and its disk."""
WINDOW_BYTES = 8 << 20
NO_QUEUE = "no such queue"
NOT_TAKEN = "the broker did not take it"
UNSENDABLE = "it cannot be sent"
"""How a reason begins that lies in the message itself."""

_PERSISTENT = 2
_UNSENDABLE = (AMQPError, ValueError, TypeError, AttributeError, OverflowError, RecursionError, struct.error)
"""What pika raises for values that no frame can carry; nothing of the message is sent then."""


def publish(url: str, messages: Sequence[Outgoing], seconds: float) -> list[str]:
    """Publish messages in their order, by a connection of its own.

    Args:
        url: of the broker.
        messages: what to publish.
        seconds: for everything but a short farewell.

    Returns:
        For each message why it is not known to have arrived; empty where the broker has confirmed it (and, for a
        mandatory one, that it reached a queue). One with a reason may have arrived all the same.

    Raises:
        InputError: the URL is none of a broker.
    """
    deadline = time.monotonic() + seconds
    if not messages:
        return []
    try:
        with open_link(url, "cv-pipelines publisher", seconds) as link:
            sending = _Sending(link, messages)
            sending.run(deadline)
            return sending.reasons()
    except CvError as error:
        if error.code == "broker_url":
            raise
        return [error.user_message] * len(messages)


class _Sending:
    """Messages of one channel on their way."""

    def __init__(self, link: Link, messages: Sequence[Outgoing]) -> None:
        self._link = link
        self._messages = messages
        self._results: list[str | None] = [None] * len(messages)
        self._next = 0
        self._tag = 0
        self._open: dict[int, int] = {}  # the broker numbers what it gets from 1; in that order
        self._open_bytes = 0

    def run(self, deadline: float) -> None:
        """Send everything and wait for its confirms, until the time is over or the link fails."""
        link, ready = self._link, [False]
        link.channel.add_on_return_callback(self._on_return)
        link.channel.confirm_delivery(self._on_confirm, callback=lambda _: ready.__setitem__(0, True))
        if not link.run(lambda: ready[0], deadline):
            return
        while link.failure is None and time.monotonic() < deadline:
            self._send()
            if self._next == len(self._messages) and not self._open:
                return
            link.run(self._may_send, deadline)

    def reasons(self) -> list[str]:
        """What `publish` returns."""
        why = self._link.why()
        unsent, unconfirmed = f"not sent: {why}", f"not confirmed: {why}"
        return [
            (unconfirmed if number < self._next else unsent) if result is None else result
            for number, result in enumerate(self._results)
        ]

    def _may_send(self) -> bool:
        """Whether half of the window is free, or everything is done."""
        if self._next == len(self._messages):
            return not self._open
        free = len(self._open) <= WINDOW // 2 and self._open_bytes <= WINDOW_BYTES // 2
        return free and not self._link.blocked

    def _send(self) -> None:
        while (
            self._next < len(self._messages)
            and len(self._open) < WINDOW
            and self._open_bytes < WINDOW_BYTES
            and not self._link.blocked
            and self._link.failure is None
        ):
            number, self._next = self._next, self._next + 1
            message = self._messages[number]
            try:
                self._link.channel.basic_publish(
                    message.exchange, message.routing_key, message.body, _properties(message), message.mandatory
                )
            except _UNSENDABLE as error:
                self._results[number] = f"{UNSENDABLE}: {error!r}"
                continue
            self._tag += 1
            self._open[self._tag] = number
            self._open_bytes += len(message.body)

    def _on_confirm(self, frame: Any) -> None:
        """The broker answers for one message, or for all up to one."""
        last, refused = frame.method.delivery_tag, isinstance(frame.method, Basic.Nack)
        if frame.method.multiple:
            tags = []
            for tag in self._open:
                if tag > last:
                    break
                tags.append(tag)
        else:
            tags = [last]
        for tag in tags:
            number = self._open.pop(tag)
            self._open_bytes -= len(self._messages[number].body)
            if self._results[number] is None:
                self._results[number] = NOT_TAKEN if refused else ""

    def _on_return(self, _: Any, method: Any, properties: Any, body: bytes) -> None:
        """A mandatory message reached no queue. It comes back before its confirm, and without its number."""
        for number in self._open.values():
            message = self._messages[number]
            if (
                self._results[number] is None
                and message.mandatory
                and message.routing_key == method.routing_key
                and message.exchange == method.exchange
                and message.message_id == properties.message_id
                and message.body == body
            ):
                self._results[number] = NO_QUEUE
                return


def _properties(message: Outgoing) -> BasicProperties:
    return BasicProperties(
        content_type=message.content_type,
        headers=message.headers or None,
        delivery_mode=_PERSISTENT,
        correlation_id=message.correlation_id,
        message_id=message.message_id,
    )
