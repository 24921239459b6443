"""Reading what may be made to do harm."""

import io
import os
from pathlib import Path


class TooMuchError(ValueError):
    """A file wants more of itself in memory at once than is good."""


class CarefulFile(io.BufferedReader):
    """A file that is never read in pieces of more than `most` bytes, whatever it says of itself."""

    def __init__(self, path: Path, most: int) -> None:
        super().__init__(io.FileIO(path))
        self.most = most

    def read(self, size: int | None = -1) -> bytes:
        """Read at most `size` bytes; all that there are without it.

        Raises:
            TooMuchError: that would be more than `most`.
        """
        if size is None or size < 0:
            size = os.fstat(self.fileno()).st_size - self.tell()
        if size > self.most:
            raise TooMuchError(f"{size} bytes at once")
        return super().read(size)
