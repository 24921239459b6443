"""What a request may be at most, before anybody looks at what it asks for."""

import hashlib
from collections import Counter
from collections.abc import Collection

from fastapi import Request
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cv_pipelines.web.csrf import foreign_origin
from cv_pipelines.web.problems import Refused, problem

MOST_BYTES = 1024**2
"""Of a body; a page that takes files will say how large they may be."""
MOST_AT_ONCE = 64
"""Requests of one client that a process works on at a time: a browser sends six, a hundred tabs no more."""
_TOO_LARGE = f"A request may hold {MOST_BYTES // 1024**2} MiB at most."


class Bounds:
    """Refuses other hosts' names (DNS rebinding), other sites' forms, large bodies, and a client's floods."""

    def __init__(self, application: ASGIApp, hosts: Collection[str]) -> None:
        self._application = application
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
            await self._application(scope, _bounded(receive), send)
        finally:
            self._working[client] -= 1
            if not self._working[client]:
                del self._working[client]

    def _refusal(self, scope: Scope, headers: dict[bytes, bytes], client: bytes) -> Refused | None:
        host = headers.get(b"host", b"").decode("latin-1").lower()
        if _without_port(host) not in self._hosts:
            return Refused(
                400, "host", "This server is not known by this name. CV_WEB_HOSTS lists those that it has."
            )
        if foreign_origin(scope["method"], headers, scope["scheme"]):
            return Refused(403, "origin", "This request comes from a page of another site.")
        length = headers.get(b"content-length", b"0")
        if not length.isdigit() or int(length) > MOST_BYTES:
            return Refused(413, "too_large", _TOO_LARGE, {"Connection": "close"})
        if self._working[client] >= MOST_AT_ONCE:
            return Refused(
                429, "too_many", "Too many requests at once. Try again in a moment.", {"Retry-After": "1"}
            )
        return None


def _bounded(receive: Receive) -> Receive:
    """A body whose length nobody has told, cut off where it gets too long."""
    taken = 0

    async def receive_some() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > MOST_BYTES:
            raise HTTPException(413, _TOO_LARGE)
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
