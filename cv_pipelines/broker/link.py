"""One connection with one channel, driven by hand, so that nothing waits for longer than it may.

pika's BlockingConnection waits for an answer until the heartbeat fails, and for each confirm by itself.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from pika.adapters.select_connection import IOLoop
from pika.channel import Channel
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_exponential_jitter

from cv_pipelines.broker.connection import CONNECT_SECONDS, connection_parameters, reason, to_cv_error
from cv_pipelines.broker.frames import TolerantConnection
from cv_pipelines.errors import CvError, InfrastructureError

_CLOSE_SECONDS = 2
_ABORT_SECONDS = 1
_SHORTEST_SECONDS = 0.1
_GRACE_SECONDS = 0.5
"""For pika to notice by itself that the time is over."""


@contextmanager
def open_link(url: str, name: str, seconds: float) -> Iterator["Link"]:
    """Connect and open a channel; at the end both are closed, whatever state they are in.

    Args:
        url: of the broker.
        name: what an operator sees in the broker's list of connections.
        seconds: for connecting, several times where that helps.

    Raises:
        InputError: the URL, the credentials or the vhost are wrong.
        InfrastructureError: the broker does not answer in time.
    """
    deadline = time.monotonic() + seconds
    attempts = Retrying(
        retry=retry_if_exception_type(InfrastructureError),
        stop=stop_after_delay(seconds),
        wait=wait_exponential_jitter(multiplier=0.1, max=min(1, seconds)),
        reraise=True,
    )
    link = attempts(_open, url, name, deadline)
    try:
        yield link
    finally:
        link.close()


class Link:
    """A connection and its channel.

    Attributes:
        failure: why channel or connection are no more; None while they are.
        blocked: why the broker does not read what is published; empty while it does.
    """

    def __init__(self, parameters: Any) -> None:
        self.failure: BaseException | None = None
        self.blocked = ""
        self._parameters = parameters
        self._channel: Channel | None = None
        self._connection: TolerantConnection | None = None
        self._loop = IOLoop()
        self._loop.activate_poller()
        TolerantConnection.create_connection([parameters], self._connected, self._loop)

    @property
    def is_open(self) -> bool:
        """Whether there is a channel yet."""
        return self._channel is not None

    @property
    def channel(self) -> Channel:
        """For everything that pika can do with one; those that `open_link` gives have it."""
        if self._channel is None:
            raise RuntimeError("the channel is not open")
        return self._channel

    def renew(self, deadline: float) -> bool:
        """Open another channel after the broker has closed this one; says whether there is one."""
        if self._connection is None or not self._connection.is_open:
            return False
        self.failure, self._channel = None, None
        self._connection.channel(on_open_callback=self._channel_opened)
        return self.run(lambda: self.is_open, deadline)

    def run(self, until: Callable[[], bool], deadline: float) -> bool:
        """Read and write until something holds, the link fails, or the time is over; at least once.

        Args:
            until: asked after each portion that was read (100 kB at most).
            deadline: of time.monotonic().

        Returns:
            Whether it holds.
        """
        self._drive(lambda: until() or self.failure is not None, deadline - time.monotonic())
        return until()

    def error(self) -> CvError:
        """What ended the link, as an error of ours."""
        return to_cv_error(self.failure or TimeoutError(), self._parameters)

    def why(self) -> str:
        """What keeps the broker from answering, in words: the end of a sentence without its full stop."""
        if self.failure:
            return reason(self.failure)
        if self.blocked:
            return f"the broker takes no messages now ({self.blocked})"
        return "nothing came back in time"

    def close(self) -> None:
        """Say farewell where somebody listens, and free what it takes in any case."""
        connection = self._connection
        if connection is not None:
            if connection.is_open and not self.blocked:
                connection.close()
                self._drive(lambda: connection.is_closed, _CLOSE_SECONDS)
            connection.abort(ConnectionAbortedError("given up"))
            self._drive(lambda: connection.is_closed, _ABORT_SECONDS)
        self._loop.deactivate_poller()
        self._loop.close()

    def _drive(self, until: Callable[[], bool], seconds: float) -> None:
        """Read and write until something holds, within a time, but at least once."""
        deadline = time.monotonic() + seconds
        alarm = self._loop.call_later(max(0.0, seconds), lambda: None)  # so that polling ends in time
        while not until():
            self._loop.poll()
            self._loop.process_timeouts()
            if time.monotonic() >= deadline:
                break
        self._loop.remove_timeout(alarm)

    def _connected(self, result: Any) -> None:
        """Begin the channel; the end of an attempt that failed, or was given up, comes here as an error."""
        if not isinstance(result, TolerantConnection):
            self.failure = result
            return
        self._connection = result
        result.add_on_close_callback(self._lost)
        result.add_on_connection_blocked_callback(self._on_blocked)
        result.add_on_connection_unblocked_callback(self._on_unblocked)
        result.channel(on_open_callback=self._channel_opened)

    def _channel_opened(self, channel: Channel) -> None:
        channel.add_on_close_callback(self._lost)
        self._channel = channel

    def _lost(self, _: Any, error: BaseException) -> None:
        """The first reason counts: a lost connection closes its channels too."""
        self.failure = self.failure or error

    def _on_blocked(self, _: Any, frame: Any) -> None:
        self.blocked = str(frame.method.reason)

    def _on_unblocked(self, *_: Any) -> None:
        self.blocked = ""


def _open(url: str, name: str, deadline: float) -> Link:
    """Connect once. An attempt has limits itself, for it cannot be aborted (pika 1.4 fails an assertion then)."""
    parameters = connection_parameters(url, name)
    remaining = max(_SHORTEST_SECONDS, deadline - time.monotonic())
    parameters.socket_timeout = parameters.stack_timeout = min(remaining, CONNECT_SECONDS)
    link = Link(parameters)
    if link.run(lambda: link.is_open, time.monotonic() + remaining + _GRACE_SECONDS):
        return link
    error = link.error()
    link.close()
    raise error
