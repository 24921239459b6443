"""What the platform asks of an object store."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO, Protocol

REFRESH = timedelta(days=1)
"""An object older than this is written again where its age can be renewed in no cheaper way."""


@dataclass(frozen=True)
class StoredObject:
    """What a listing says of an object: its size in bytes, and when it was written (UTC, aware)."""

    key: str
    size: int
    written_at: datetime


class ObjectStore(Protocol):
    """Bytes under keys. Keys are made by us from content hashes, with `/` between their parts.

    What nobody refers to is deleted by its age. So whoever writes an object can count on it for as
    long as that takes, even where it was there before: `written_at` is at most REFRESH before the
    last time that anybody wrote it.
    """

    def put(self, key: str, data: bytes) -> None:
        """Write an immutable object; one that is there already stands (same key, same bytes), as if new."""

    def replace(self, key: str, data: bytes) -> None:
        """Write an object that may change: pointers, checkpoints, erasures. Readers see old or new."""

    def put_file(self, key: str, path: Path) -> None:
        """Write an immutable object from a file, without loading it."""

    def get(self, key: str) -> bytes:
        """Read a whole object.

        Raises:
            InfrastructureError: code `missing_object` when there is none.
        """

    def read(self, key: str, offset: int, length: int) -> bytes:
        """Read `length` bytes of an object from `offset` on, and no others.

        Raises:
            InfrastructureError: code `missing_object` when there is none, `short_object` when it ends before.
        """

    def open(self, key: str) -> BinaryIO:
        """Open an object for reading; the file can seek."""

    def exists(self, key: str) -> bool:
        """Say whether there is an object."""

    def objects(self, prefix: str) -> Iterator[StoredObject]:
        """List the objects whose keys start with `prefix`, by key."""

    def leftovers(self) -> Iterator[StoredObject]:
        """List what writers that were killed have left half written: nobody reads it, and it can be deleted."""

    def flush(self) -> None:
        """Return once everything written so far survives a loss of power."""

    def delete(self, key: str) -> None:
        """Delete an object; none there is no error."""
