"""Publishing with confirms, many under way at once, and never longer than it may take."""

import struct
import time
from collections.abc import Sequence
from typing import Any

from pika.exceptions import AMQPError
from pika.spec import Basic, BasicProperties

from cv_pipelines.broker.connection import is_answer
from cv_pipelines.broker.link import Link, open_link
from cv_pipelines.broker.messages import Outgoing
from cv_pipelines.errors import CvError

WINDOW = 1000
"""Messages under way: enough to hide the way to the broker and its disk."""
WINDOW_BYTES = 8 << 20
NO_QUEUE = "no such queue"
NOT_TAKEN = "the broker did not take it"
UNSENDABLE, REFUSED = "it cannot be sent", "the broker refuses it"
"""How reasons begin that lie in the message itself, or in where it should go."""

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
    sending, again = _Sending(messages), bool(messages)
    try:
        while again:
            with open_link(url, "cv-pipelines publisher", max(0.0, deadline - time.monotonic())) as link:
                again = sending.run(link, deadline)
                while again and link.renew(deadline):
                    again = sending.run(link, deadline)
    except CvError as error:
        if error.code == "broker_url":
            raise
        sending.fail(error.user_message)
    return sending.reasons()


class _Sending:
    """Messages on their way, by one channel after the other where one makes the broker close.

    Which one that was the broker does not say. So those that were under way go once more, each only when the
    one before it is confirmed: none arrives more than twice, and whatever fails now fails alone.
    """

    def __init__(self, messages: Sequence[Outgoing]) -> None:
        self._link: Link
        self._messages = messages
        self._results: list[str | None] = [None] * len(messages)
        self._next = 0
        self._careful = 0  # those before this one go one by one

    def run(self, link: Link, deadline: float) -> bool:
        """Send what is left and wait for its confirms, until the time is over or the link fails.

        Returns:
            Whether the rest is worth another channel: this one was closed for one message.
        """
        self._link, self._tag, self._open_bytes, ready = link, 0, 0, [False]
        self._open: dict[int, int] = {}  # the broker numbers what it gets from 1; in that order
        link.channel.add_on_return_callback(self._on_return)
        link.channel.confirm_delivery(self._on_confirm, callback=lambda _: ready.__setitem__(0, True))
        if link.run(lambda: ready[0], deadline):
            while link.failure is None and time.monotonic() < deadline and not self._is_done():
                self._send()
                link.run(self._may_send, deadline)
        blamed = self._blame()
        if blamed and not self._is_done() and time.monotonic() < deadline:
            return True
        why = "the broker has closed for another message, and the time was over" if blamed else link.why()
        self.fail(why)
        return False

    def fail(self, why: str) -> None:
        """Say why of all that are not decided, and whether they may have arrived."""
        sent = max(self._next, self._careful)
        self._results[:sent] = [_or(f"not confirmed: {why}", result) for result in self._results[:sent]]
        self._results[sent:] = [_or(f"not sent: {why}", result) for result in self._results[sent:]]

    def reasons(self) -> list[str]:
        """What `publish` returns."""
        return [result or "" for result in self._results]

    def _is_done(self) -> bool:
        return self._next == len(self._messages) and not self._open

    def _blame(self) -> bool:
        """Find the message for which the broker has closed, or have the doubtful go one by one; says if it has."""
        doubtful = [number for number in self._open.values() if self._results[number] is None]
        if not doubtful or not is_answer(self._link.failure):
            return False
        if len(doubtful) == 1:
            self._results[doubtful[0]] = f"{REFUSED}: {self._link.why()}"
        else:
            self._careful, self._next = self._next, doubtful[0]
        self._open.clear()
        return True

    def _window(self) -> int:
        """Messages that may be under way."""
        oldest = next(iter(self._open.values()), self._next)
        return 1 if oldest < self._careful else WINDOW

    def _may_send(self) -> bool:
        """Whether half of the window is free, or everything is done."""
        if self._next == len(self._messages):
            return not self._open
        free = len(self._open) <= self._window() // 2 and self._open_bytes <= WINDOW_BYTES // 2
        return free and not self._link.blocked

    def _send(self) -> None:
        while (
            self._next < len(self._messages)
            and len(self._open) < self._window()
            and self._open_bytes < WINDOW_BYTES
            and not self._link.blocked
            and self._link.failure is None
        ):
            number, self._next = self._next, self._next + 1
            if self._results[number] is not None:
                continue
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


def _or(why: str, result: str | None) -> str:
    return why if result is None else result


def _properties(message: Outgoing) -> BasicProperties:
    return BasicProperties(
        content_type=message.content_type,
        headers=message.headers or None,
        delivery_mode=_PERSISTENT,
        correlation_id=message.correlation_id,
        message_id=message.message_id,
    )
