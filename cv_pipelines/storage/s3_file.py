"""An object as a file: whoever reads it asks for what it needs, and nothing else is fetched."""

import io
from collections.abc import Callable
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

READ_AHEAD = 1024**2
"""Bytes fetched at least: many small reads next to each other cost one request."""


def open_ranges(fetch: Callable[[int, int], bytes], size: int) -> BinaryIO:
    """Open something of `size` bytes whose ranges `fetch(offset, length)` returns."""
    return io.BufferedReader(_Ranges(fetch, size), READ_AHEAD)


class _Ranges(io.RawIOBase):
    """Reads at a position, one range each."""

    def __init__(self, fetch: Callable[[int, int], bytes], size: int) -> None:
        super().__init__()
        self._fetch = fetch
        self._size = size
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        if start + offset < 0:
            raise ValueError(f"there is nothing before the start of an object: {start + offset}")
        self._position = start + offset
        return self._position

    def readinto(self, buffer: "WriteableBuffer") -> int:
        view = memoryview(buffer).cast("B")
        length = min(len(view), max(self._size - self._position, 0))
        if length:
            view[:length] = self._fetch(self._position, length)
            self._position += length
        return length
