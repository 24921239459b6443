"""Files at URLs that somebody else wrote: no redirects, no private addresses, no endless answers."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cv_pipelines.remote.limits import size_problem

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

TOTAL_SECONDS = 300
"""Of one file: a server that sends a byte now and then would keep a thread for ever."""
_CHUNK = 1 << 20
_WORDS = {
    "ConnectTimeoutError": "the server did not answer in time",
    "ReadTimeoutError": "the server stalled in the middle",
    "NameResolutionError": "there is no server of this name",
    "NewConnectionError": "the server cannot be reached",
    "SSLError": "the server's certificate is not valid",
    "ProtocolError": "the server broke the connection off",
    "IncompleteRead": "the server broke the connection off",
}


def url_stamp(url: str, allow: tuple[str, ...]) -> str:
    """What the server says of a file's version: its ETag, else its time and length, else nothing.

    Raises:
        OSError: it gives no answer, or another one than 200.
    """
    with _answer("HEAD", url, allow) as answer:
        answer.read()  # there is nothing, and that frees the connection for others
        changed, length = answer.headers.get("Last-Modified"), answer.headers.get("Content-Length", "")
        return answer.headers.get("ETag") or (f"{changed}:{length}" if changed else "")


def read_url(url: str, allow: tuple[str, ...], most: int) -> bytes:
    """Fetch a file.

    Args:
        url: of scheme `http` or `https`.
        allow: hosts and networks that may be asked though they are not public.
        most: bytes that it may have.

    Raises:
        OSError: in words, for they end up in a table that people read; a ConnectionError or TimeoutError
            where it may pass.
    """
    deadline = time.monotonic() + TOTAL_SECONDS
    data = bytearray()
    with _answer("GET", url, allow) as answer:
        while chunk := answer.read1(_CHUNK, decode_content=False):
            data += chunk
            if problem := size_problem(len(data), most):
                raise OSError(problem)
            if time.monotonic() > deadline:
                raise TimeoutError(f"the server is too slow: not all of it came within {TOTAL_SECONDS} s")
    return bytes(data)


@contextmanager
def _answer(method: str, url: str, allow: tuple[str, ...]) -> Iterator["BaseHTTPResponse"]:
    """The answer to a request, with its body still to come."""
    from urllib3.exceptions import HTTPError, LocationValueError  # the first import of urllib3 takes a while

    from cv_pipelines.remote.connections import ForbiddenAddressError, connections

    headers = {"Accept-Encoding": "identity"}
    try:
        answer = connections(allow).request(method, url, headers=headers, redirect=False, preload_content=False)
        try:
            _require_success(answer.status)
            yield answer
        finally:
            answer.close()
    except HTTPError as error:
        stays = isinstance(error, (ForbiddenAddressError, LocationValueError))
        kind = OSError if stays else ConnectionError
        raise kind(_WORDS.get(type(error).__name__, str(error))) from error


def _require_success(status: int) -> None:
    if 300 <= status < 400:
        raise OSError(f"the server redirects ({status}), which is not followed. Write the address it leads to")
    if status >= 500 or status in (408, 425, 429):
        raise ConnectionError(f"the server answers {status}")
    if status != 200:
        raise OSError(f"the server answers {status}")
