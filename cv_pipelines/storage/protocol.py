"""What the platform asks of an object store."""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Protocol


class ObjectStore(Protocol):
    """Bytes under keys. Keys are made by us from content hashes, with `/` between their parts."""

    def put(self, key: str, data: bytes) -> None:
        """Write an immutable object; one that is there already stands (same key, same bytes)."""

    def replace(self, key: str, data: bytes) -> None:
        """Write an object that may change: pointers and checkpoints only. Readers see old or new."""

    def put_file(self, key: str, path: Path) -> None:
        """Write an immutable object from a file, without loading it."""

    def get(self, key: str) -> bytes:
        """Read a whole object.

        Raises:
            InfrastructureError: code `missing_object` when there is none.
        """

    def open(self, key: str) -> BinaryIO:
        """Open an object for reading; the file can seek."""

    def exists(self, key: str) -> bool:
        """Say whether there is an object."""

    def keys(self, prefix: str) -> Iterator[str]:
        """List the keys that start with `prefix`, in order."""

    def flush(self) -> None:
        """Return once everything written so far survives a loss of power."""

    def delete(self, key: str) -> None:
        """Delete an object; none there is no error."""
