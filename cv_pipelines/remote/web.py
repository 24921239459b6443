"""Files at URLs that somebody else wrote: no redirects, no private addresses, no endless answers."""

import re
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from cv_pipelines.remote.facts import FileFacts
from cv_pipelines.remote.limits import size_problem

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

TOTAL_SECONDS = 300
"""Of one file: a server that sends a byte now and then would keep a thread for ever."""
_CHUNK = 1 << 20
_RANGE = re.compile(r"bytes (?:\d+-\d+|\*)/(\d+)")
_PARTIAL, _NOT_SATISFIABLE = 206, 416
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
        return _stamp(answer.headers, answer.headers.get("Content-Length", ""))


def url_facts(url: str, allow: tuple[str, ...]) -> FileFacts:
    """What the server says of a file, and whether it sends parts of it; asked for its first byte.

    Raises:
        OSError: as read_url does.
    """
    with _answer("GET", url, allow, _range(0, 1), (200, _PARTIAL, _NOT_SATISFIABLE)) as answer:
        is_part = answer.status != 200
        if answer.status == _PARTIAL:
            b"".join(_chunks(answer, 1))  # that frees the connection for others
        size = _size(answer.headers, is_part)
        stamp = _stamp(answer.headers, "" if size is None else str(size))
        return FileFacts(size, stamp, _modified(answer.headers), is_part and size is not None)


def read_url_range(url: str, allow: tuple[str, ...], facts: FileFacts, offset: int, length: int) -> bytes:
    """Fetch `length` bytes of a file from `offset` on.

    Args:
        url: of scheme `http` or `https`.
        allow: hosts and networks that may be asked though they are not public.
        facts: as `url_facts` gave them.
        offset: in bytes.
        length: in bytes; all of them are there.

    Raises:
        OSError: as read_url does; a ConnectionError where the file is another one by now.
    """
    with _answer("GET", url, allow, _range(offset, length), (_PARTIAL,)) as answer:
        size = _size(answer.headers, is_part=True)
        if size != facts.size or _stamp(answer.headers, str(size)) != facts.stamp:
            raise ConnectionError("it changed while it was read")
        data = b"".join(_chunks(answer, length))
    if len(data) != length:
        raise ConnectionError("the server sent another part than was asked for")
    return data


def url_chunks(url: str, allow: tuple[str, ...], seconds: float | None = None) -> Iterator[bytes]:
    """A file, piece by piece; all of it has to come within some seconds (TOTAL_SECONDS).

    Raises:
        OSError: as read_url does.
    """
    with _answer("GET", url, allow) as answer:
        yield from _chunks(answer, seconds=seconds)


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
    data = bytearray()
    for chunk in url_chunks(url, allow):
        data += chunk
        if problem := size_problem(len(data), most):
            raise OSError(problem)
    return bytes(data)


def _chunks(answer: "BaseHTTPResponse", most: int = sys.maxsize, seconds: float | None = None) -> Iterator[bytes]:
    """The body of an answer; at most so many bytes of it, and within some seconds."""
    limit, left = TOTAL_SECONDS if seconds is None else seconds, most
    deadline = time.monotonic() + limit
    while left and (chunk := answer.read1(min(left, _CHUNK), decode_content=False)):
        yield chunk
        left -= len(chunk)
        if time.monotonic() > deadline:
            raise TimeoutError(f"the server is too slow: not all of it came within {limit:.0f} s")


def _range(offset: int, length: int) -> dict[str, str]:
    return {"Range": f"bytes={offset}-{offset + length - 1}"}


def _size(headers: Mapping[str, str], is_part: bool) -> int | None:
    """How many bytes the whole file has; None where the server does not say."""
    if is_part:
        said = _RANGE.fullmatch(headers.get("Content-Range", "").strip())
        return int(said[1]) if said else None
    length = headers.get("Content-Length", "")
    return int(length) if length.isdecimal() else None


def _stamp(headers: Mapping[str, str], length: str) -> str:
    changed = headers.get("Last-Modified")
    return headers.get("ETag") or (f"{changed}:{length}" if changed else "")


def _modified(headers: Mapping[str, str]) -> datetime | None:
    """When the file was changed last; None where the server does not say, or says nonsense."""
    try:
        found = parsedate_to_datetime(headers.get("Last-Modified", ""))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


@contextmanager
def _answer(
    method: str,
    url: str,
    allow: tuple[str, ...],
    extra: Mapping[str, str] | None = None,
    good: Sequence[int] = (200,),
) -> Iterator["BaseHTTPResponse"]:
    """The answer to a request, with its body still to come."""
    from urllib3.exceptions import HTTPError, LocationValueError  # the first import of urllib3 takes a while

    from cv_pipelines.remote.connections import ForbiddenAddressError, connections

    headers = {"Accept-Encoding": "identity", **(extra or {})}
    try:
        answer = connections(allow).request(method, url, headers=headers, redirect=False, preload_content=False)
        try:
            _require_success(answer.status, good)
            yield answer
        finally:
            answer.close()
    except HTTPError as error:
        stays = isinstance(error, (ForbiddenAddressError, LocationValueError))
        kind = OSError if stays else ConnectionError
        raise kind(_WORDS.get(type(error).__name__, str(error))) from error


def _require_success(status: int, good: Sequence[int]) -> None:
    if 300 <= status < 400:
        raise OSError(f"the server redirects ({status}), which is not followed. Write the address it leads to")
    if status >= 500 or status in (408, 425, 429):
        raise ConnectionError(f"the server answers {status}")
    if status not in good:
        raise OSError(f"the server answers {status}")
