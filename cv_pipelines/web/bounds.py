"""What a request may be at most, before anybody looks at what it asks for."""

import asyncio
import hashlib
import re
import time
from collections import Counter
from collections.abc import Collection

from fastapi import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cv_pipelines.web.csrf import foreign_origin
from cv_pipelines.web.problems import Refused, problem

MOST_BYTES = 1024**2
"""Of a body, where no page takes larger ones."""
MOST_ADDRESS = 8192
"""Bytes of path and query (RFC 9110, 4.1, asks for 8,000 at least)."""
GRACE_SECONDS, LEAST_RATE = 30.0, 1024
"""A body has so many seconds, and one more for every so many bytes that have come."""
MOST_AT_ONCE = 64
"""Requests of one client that a process works on at a time: a browser sends six, a hundred tabs no more."""
_UPLOAD = re.compile(r"/upload/[^/]+/files")
MOST_LABELS = 4 * 1024**2
"""Of labels that are saved together: the outlines of one image may have many points (labelling/changes.py)."""
_LABELS = re.compile(r"/datasets/[^/]+/labels")


class Bounds:
    """Refuses other hosts' names (DNS rebinding), other sites' forms, large bodies, and a client's floods."""

    def __init__(self, application: ASGIApp, hosts: Collection[str], uploads: int = MOST_BYTES) -> None:
        """Put the bounds around an application.

        Args:
            application: what is inside.
            hosts: names that it is reached by.
            uploads: bytes that a file may have which somebody uploads.
        """
        self._application, self._uploads = application, uploads
        self._hosts = {host.lower() for host in hosts}
        self._working: Counter[bytes] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        headers, client = dict(scope["headers"]), _client(scope)
        refused = self._refusal(scope, headers, client)
        if refused is not None:
            answer = problem(
                Request(scope), refused.status_code, refused.code, refused.detail, dict(refused.headers or {})
            )
            await answer(scope, receive, send)
            return
        self._working[client] += 1
        try:
            await self._application(scope, _bounded(receive, self._most(scope)), send)
        finally:
            self._working[client] -= 1
            if not self._working[client]:
                del self._working[client]

    def _most(self, scope: Scope) -> int:
        method, path = scope["method"], scope["path"]
        if method == "PUT" and _UPLOAD.fullmatch(path):
            return self._uploads
        return MOST_LABELS if method == "POST" and _LABELS.fullmatch(path) else MOST_BYTES

    def _refusal(self, scope: Scope, headers: dict[bytes, bytes], client: bytes) -> Refused | None:
        host = headers.get(b"host", b"").decode("latin-1").lower()
        if _without_port(host) not in self._hosts:
            return Refused(
                400, "host", "This server is not known by this name. CV_WEB_HOSTS lists those that it has."
            )
        if foreign_origin(scope["method"], headers, scope["scheme"]):
            return Refused(403, "origin", "This request comes from a page of another site.")
        if len(scope["raw_path"]) + len(scope["query_string"]) > MOST_ADDRESS:
            return Refused(414, "address", f"An address may have {MOST_ADDRESS:,} bytes at most.")
        if "\0" in scope["path"] or b"%00" in scope["query_string"]:  # no database takes it
            return Refused(400, "address", "There is a zero byte in this address.")
        if b"content-length" in headers and b"transfer-encoding" in headers:  # RFC 9112, 6.3: may be smuggled
            return Refused(400, "framing", "This request has two lengths.", {"Connection": "close"})
        length, most = headers.get(b"content-length", b"0"), self._most(scope)
        if not length.isdigit() or int(length) > most:
            return too_large(most)
        if self._working[client] >= MOST_AT_ONCE:
            return Refused(
                429, "too_many", "Too many requests at once. Try again in a moment.", {"Retry-After": "1"}
            )
        return None


def too_large(most: int) -> Refused:
    """What somebody is told whose body is longer than `most` bytes."""
    words = f"A request may hold {most // 1024**2:,} MiB at most."
    return Refused(413, "too_large", words, {"Connection": "close"})


def _bounded(receive: Receive, most: int) -> Receive:
    """A body whose length nobody has told, cut off where it gets too long or comes too slowly."""
    taken, started, is_whole = 0, time.monotonic(), False

    async def receive_some() -> Message:
        nonlocal taken, is_whole
        if is_whole:  # nothing more is waited for but the end of the connection
            return await receive()
        left = started + GRACE_SECONDS + taken / LEAST_RATE - time.monotonic()
        try:
            message = await asyncio.wait_for(receive(), left)
        except TimeoutError:
            words = "This request comes too slowly. Send it again."
            raise Refused(408, "too_slow", words, {"Connection": "close"}) from None
        taken += len(message.get("body", b""))
        is_whole = not message.get("more_body", False)
        if taken > most:
            raise too_large(most)
        return message

    return receive_some


def _client(scope: Scope) -> bytes:
    """Who asks, before anybody has looked: the same credentials are the same client."""
    held = [value for name, value in scope["headers"] if name in (b"authorization", b"cookie")]
    address = scope["client"][0] if scope.get("client") else ""
    return hashlib.sha256(b"\n".join([*held, address.encode()])).digest()


def _without_port(host: str) -> str:
    if host.startswith("["):  # an address of IPv6
        return host.partition("]")[0] + "]"
    return host.partition(":")[0]
