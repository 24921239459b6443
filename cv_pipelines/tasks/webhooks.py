"""Telling somebody else's server: one POST, signed, within a few seconds whatever the server does."""

import hmac
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException
from socket import SHUT_RDWR
from threading import Event, Thread
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from urllib3.connection import HTTPConnection

LIMIT_SECONDS = 5.0
SIGNATURE = "X-Signature-256"


@dataclass(frozen=True)
class Answer:
    """What came of a POST.

    Attributes:
        status: of HTTP; None: there was no answer.
        error: why it does not count as delivered, in words; empty: it does.
        milliseconds: it took.
    """

    status: int | None
    error: str
    milliseconds: int


def signature(body: bytes, secret: str) -> str:
    """The value of `X-Signature-256`: `sha256=` and the HMAC (hex) of the body, byte for byte."""
    return f"sha256={hmac.new(secret.encode(), body, 'sha256').hexdigest()}"


def post(
    url: str,
    body: bytes,
    secret: str,
    allow: tuple[str, ...],
    headers: Mapping[str, str] | None = None,
    limit: float = LIMIT_SECONDS,
) -> Answer:
    """Send a JSON document to a receiver; what it does is in the answer, never an exception.

    Args:
        url: that a stranger named; redirects are not followed.
        body: the document.
        secret: shared with the receiver; empty: nothing is signed.
        allow: hosts and networks that may be asked though they are not public.
        headers: further ones, such as the task's id and the event's number.
        limit: seconds for everything: finding the server, connecting, sending, its answer.
    """
    started = time.monotonic()
    sent = {"Content-Type": "application/json", "User-Agent": "cv-pipelines", **(headers or {})}
    if secret:
        sent[SIGNATURE] = signature(body, secret)
    exchange = _Exchange(url, body, sent, allow, limit)
    # a thread of its own: nothing else can leave a name server, a handshake or a slow line alone in time
    thread = Thread(target=exchange.run, name="webhook", daemon=True)
    thread.start()
    thread.join(limit)
    if thread.is_alive():
        exchange.give_up()
        status, error = None, f"no answer within {limit:g} s"
    else:
        status, error = exchange.status, exchange.error
    return Answer(status, error, round(1000 * (time.monotonic() - started)))


class _Exchange:
    """One request and the head of its answer, which another thread may end."""

    def __init__(
        self, url: str, body: bytes, headers: Mapping[str, str], allow: tuple[str, ...], limit: float
    ) -> None:
        self.status: int | None = None
        self.error = "a fault in the platform: nothing was sent"  # stays only where our own code breaks
        self._url, self._body, self._headers, self._allow, self._limit = url, body, headers, allow, limit
        self._given_up = Event()
        self._connection: HTTPConnection | None = None

    def run(self) -> None:
        from urllib3.exceptions import HTTPError  # the first import of urllib3 takes a while

        try:
            self.status = self._status()
            self.error = _refusal(self.status)
        except (HTTPError, HTTPException, OSError, ValueError) as error:
            self.error = _words(error, self._limit)
        finally:
            if self._connection:
                self._connection.close()

    def give_up(self) -> None:
        """End it from outside: whatever waits for the server, waits no longer."""
        self._given_up.set()
        line = self._connection.sock if self._connection else None
        if line:
            with suppress(OSError):  # it has just been closed
                line.shutdown(SHUT_RDWR)

    def _status(self) -> int:
        from urllib3.util import parse_url

        from cv_pipelines.remote.connections import connections

        pool = connections(self._allow).connection_from_url(self._url)
        made = pool.ConnectionCls(pool.host, pool.port, timeout=self._limit)
        self._connection = connection = cast("HTTPConnection", made)  # its declared type hides the socket
        connection.connect()
        if self._given_up.is_set():
            raise TimeoutError  # and nobody listens any more
        target = parse_url(self._url).request_uri
        connection.request("POST", target, body=self._body, headers=self._headers, preload_content=False)
        return connection.getresponse().status


def _refusal(status: int) -> str:
    if 200 <= status < 300:
        return ""
    if 300 <= status < 400:
        return f"the server redirects ({status}), which is not followed"
    return f"the server answers {status}"


def _words(error: Exception, limit: float) -> str:
    """What went wrong, in words that hold nothing of what the server said."""
    from ssl import SSLError

    from urllib3.exceptions import (
        ConnectTimeoutError,
        LocationValueError,
        NameResolutionError,
        NewConnectionError,
        URLSchemeUnknown,
    )

    from cv_pipelines.remote.connections import ForbiddenAddressError

    if isinstance(error, ForbiddenAddressError):
        return str(error)
    known: list[tuple[tuple[type[Exception], ...], str]] = [
        ((NameResolutionError,), "there is no server of this name"),
        ((NewConnectionError,), "the server cannot be reached"),  # also a ConnectTimeoutError, as the one above
        ((ConnectTimeoutError, TimeoutError), f"no answer within {limit:g} s"),
        ((SSLError,), "no secure connection: the server's certificate is not valid, or it speaks no TLS"),
        ((LocationValueError, URLSchemeUnknown), "this is no URL of a web server"),
        ((OSError,), "the server broke the connection off"),
    ]
    return next((words for kinds, words in known if isinstance(error, kinds)), "the server speaks no HTTP")
