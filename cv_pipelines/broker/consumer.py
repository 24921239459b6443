"""Taking what lies in a queue, in lists, each of which is acknowledged when somebody has made it durable."""

import time
from collections.abc import Callable

from cv_pipelines.broker.connection import CONNECT_SECONDS
from cv_pipelines.broker.inbox import Inbox
from cv_pipelines.broker.link import open_link
from cv_pipelines.broker.messages import Message

LIST = 500
"""Messages that are handed over at once, at most."""
_FIRST_SECONDS = 0.1
"""What the broker may need to begin, or to go on after an acknowledgement."""
_KNOWN_SECONDS = 1.0
"""The same, where it has said that there are messages."""


def drain(
    url: str,
    queue: str,
    take: Callable[[list[Message]], None],
    most: int = 5000,
    seconds: float = 2.0,
    idle: float = 0.02,
    prefetch: int = 2 * LIST,
) -> int:
    """Take messages until the queue is empty, there are enough, or the time is over; by a connection of its own.

    Args:
        url: of the broker.
        queue: its name.
        take: is given lists of messages in their order, and makes them durable before it returns. When it raises,
            nothing of its list is acknowledged, all of it is delivered again, and the error is raised here.
        most: messages to take.
        seconds: to go on for, without connecting and without the last call of `take`.
        idle: seconds without a message after which the queue counts as empty.
        prefetch: messages that the broker sends ahead. What is not taken in time goes back, which counts
            as a delivery.

    Returns:
        How many were taken. Some may come again: an acknowledgement can be lost.

    Raises:
        InputError: the URL, the credentials or the vhost are wrong.
        InfrastructureError: there is no broker or no such queue, or it went away before anything was taken.
    """
    window, taken = max(1, min(prefetch, most)), 0
    with open_link(url, "cv-pipelines intake", CONNECT_SECONDS) as link:
        inbox = Inbox(link)
        expected = inbox.subscribe(queue, window, CONNECT_SECONDS)
        end = time.monotonic() + seconds
        try:
            while link.failure is None and taken < most and not inbox.is_over():
                wanted = min(LIST, max(1, window // 2), most - taken)
                inbox.wait(wanted, end, idle, _KNOWN_SECONDS if expected > taken else _FIRST_SECONDS)
                emptied = not inbox.is_full(wanted)
                taken += inbox.hand_over(take, wanted)
                inbox.acknowledge(min(taken, most - window))  # the broker never sends more than are taken
                if emptied or time.monotonic() >= end:
                    break
        finally:
            inbox.unsubscribe()
            inbox.acknowledge(taken)
        if taken == 0:
            inbox.complain(queue)
    return taken
