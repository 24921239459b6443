"""A file of which only what is read is fetched, in few and large parts where it is read in a row."""

from collections import deque
from collections.abc import Callable

from cv_pipelines.storage.seekable import Seekable

_FIRST, _MOST = 1 << 16, 1 << 22
"""Bytes of a part after a jump, and of the largest one: each in a row is twice as long as the one before."""
_KEPT = 8


class RangeFile(Seekable):
    """Bytes that a function fetches; the last parts are kept, 32 MiB at most.

    Attributes:
        size: how many bytes there are.
        stamp: of the version that is read; empty: nobody knows.
        hollow: nothing is fetched any more, and what is not there reads as zeros.
    """

    def __init__(self, fetch: Callable[[int, int], bytes], size: int, stamp: str = "") -> None:
        """Fetch nothing yet.

        Args:
            fetch: `fetch(offset, length)` returns so many bytes.
            size: how many bytes there are.
            stamp: of this version.
        """
        super().__init__(size)
        self.stamp = stamp
        self.hollow = False
        self._fetch = fetch
        self._parts: deque[tuple[int, bytes]] = deque(maxlen=_KEPT)

    def read(self, size: int = -1, /) -> bytes:
        """Read at most `size` bytes, perhaps fewer; none at the end."""
        left = max(self.size - self._position, 0)
        size = left if size < 0 else min(size, left)
        if not size:
            return b""
        data = bytes(size) if self.hollow and not self._find() else self._read(size)
        self._position += len(data)
        return data

    def has_read(self, word: bytes) -> bool:
        """Whether the parts that are kept hold some bytes."""
        return word in b"".join(data for _, data in sorted(self._parts))

    def _read(self, size: int) -> bytes:
        part = self._find() or self._next()
        self._parts.remove(part)
        self._parts.append(part)  # the last ones used stay
        start, data = part
        return data[self._position - start : self._position - start + size]

    def _find(self) -> tuple[int, bytes] | None:
        at = self._position
        return next((part for part in reversed(self._parts) if part[0] <= at < part[0] + len(part[1])), None)

    def _next(self) -> tuple[int, bytes]:
        """Fetch a part that starts here."""
        at = self._position
        before = next((len(data) for start, data in self._parts if start + len(data) == at), 0)
        length = min(2 * before or _FIRST, _MOST, self.size - at)
        part = at, self._fetch(at, length)
        self._parts.append(part)
        return part
