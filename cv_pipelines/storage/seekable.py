"""Bytes elsewhere that are read as a file."""

import io


class Seekable(io.RawIOBase):
    """A file of which only the position is here; how bytes are had, a subclass says.

    Attributes:
        size: how many bytes there are.
    """

    def __init__(self, size: int) -> None:
        """At the start of so many bytes."""
        super().__init__()
        self.size = size
        self._position = 0

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def tell(self) -> int:
        """Where the next byte is read."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go somewhere; costs nothing."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self.size}[whence]
        if start + offset < 0:
            raise ValueError(f"there is nothing before the start of a file: {start + offset}")
        self._position = start + offset
        return self._position
