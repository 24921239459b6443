"""An object as a file: whoever reads it asks for what it needs, and nothing else is fetched."""

import io
from collections.abc import Callable
from typing import TYPE_CHECKING, BinaryIO

from cv_pipelines.storage.seekable import Seekable

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

READ_AHEAD = 1024**2
"""Bytes fetched at least: many small reads next to each other cost one request."""


def open_ranges(fetch: Callable[[int, int], bytes], size: int) -> BinaryIO:
    """Open something of `size` bytes whose ranges `fetch(offset, length)` returns."""
    return io.BufferedReader(_Ranges(fetch, size), READ_AHEAD)


class _Ranges(Seekable):
    """Reads at a position, one range each."""

    def __init__(self, fetch: Callable[[int, int], bytes], size: int) -> None:
        super().__init__(size)
        self._fetch = fetch

    def readinto(self, buffer: "WriteableBuffer") -> int:
        view = memoryview(buffer).cast("B")
        length = min(len(view), max(self.size - self._position, 0))
        if length:
            view[:length] = self._fetch(self._position, length)
            self._position += length
        return length
