"""What uvicorn leaves open: a request whose head never ends, or what follows its body."""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_SECONDS = 15.0
"""From the connection, or from the first byte of a later request, to the end of its headers."""
MOST_HEAD = 64 * 1024
"""Bytes, likewise of what stands between pieces of a body, and of the fields after it (RFC 9112, 7.1.2), which are
kept as if they were headers; one more piece of the network may be read before it is seen."""


class CarefulHttp(HttpToolsProtocol):
    """Ends connections that send headers for too long (`slowloris`), or too many."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._late: asyncio.TimerHandle | None = None
        self._unasked = 0  # bytes since the last one of a body, or the end of a head

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """See asyncio.Protocol."""
        super().connection_made(transport)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol."""
        self._head_is_here()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        self._unasked += len(data)
        super().data_received(data)
        if self._unasked > MOST_HEAD:
            self._end(b"431 Request Header Fields Too Large")

    def on_message_begin(self) -> None:
        """The first bytes of a request have come."""
        super().on_message_begin()
        if self._late is None:
            self._expect_head()

    def on_headers_complete(self) -> None:
        """Its head is here."""
        self._head_is_here()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A piece of a body has come."""
        self._unasked = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """A request is here."""
        self._unasked = 0
        super().on_message_complete()

    def _expect_head(self) -> None:
        self._unasked = 0
        self._late = self.loop.call_later(HEAD_SECONDS, self._end, b"408 Request Timeout")

    def _head_is_here(self) -> None:
        self._unasked = 0
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _end(self, status: bytes) -> None:
        self._head_is_here()
        if not self.transport.is_closing():
            self.transport.write(b"HTTP/1.1 " + status + b"\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
            self.transport.close()
