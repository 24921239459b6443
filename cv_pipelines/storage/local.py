"""The object store of one machine: a folder."""

import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from cv_pipelines.errors import InfrastructureError
from cv_pipelines.storage.keys import missing_object, require_key, short_object
from cv_pipelines.storage.protocol import StoredObject

_PARTIAL = ".partial"


class LocalStore:
    """Objects as files; every file appears whole or not at all (written aside, then renamed)."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def put(self, key: str, data: bytes) -> None:
        """See ObjectStore."""
        if self._lacks(key, len(data)):
            self.replace(key, data)

    def replace(self, key: str, data: bytes) -> None:
        """See ObjectStore."""
        self._write(key, lambda file: file.write(data))

    def put_file(self, key: str, path: Path) -> None:
        """See ObjectStore."""
        if self._lacks(key, path.stat().st_size):
            with path.open("rb") as source:
                self._write(key, lambda file: shutil.copyfileobj(source, file))

    def get(self, key: str) -> bytes:
        """See ObjectStore."""
        with self.open(key) as file:
            return file.read()

    def read(self, key: str, offset: int, length: int) -> bytes:
        """See ObjectStore."""
        with self.open(key) as file:
            data = os.pread(file.fileno(), length, offset)
        if len(data) != length:
            raise short_object(key, f"{len(data)} of {length} bytes at {offset}")
        return data

    def open(self, key: str) -> BinaryIO:
        """See ObjectStore."""
        try:
            return self._path(key).open("rb")
        except FileNotFoundError as error:
            raise missing_object(key, str(self.root)) from error

    def exists(self, key: str) -> bool:
        """See ObjectStore."""
        return self._path(key).is_file()

    def objects(self, prefix: str) -> Iterator[StoredObject]:
        """See ObjectStore."""
        folder = self._path(prefix.rpartition("/")[0]) if "/" in prefix else self.root
        found = (path.relative_to(self.root).as_posix() for path in folder.rglob("*") if path.is_file())
        yield from self._described(key for key in found if key.startswith(prefix) and not key.endswith(_PARTIAL))

    def leftovers(self) -> Iterator[StoredObject]:
        """See ObjectStore."""
        yield from self._described(
            path.relative_to(self.root).as_posix() for path in self.root.rglob(f"*{_PARTIAL}")
        )

    def delete(self, key: str) -> None:
        """See ObjectStore."""
        self._path(key).unlink(missing_ok=True)

    def flush(self) -> None:
        """See ObjectStore."""
        os.sync()  # once for all files so far: a sync for each would cost an ingest minutes

    def _path(self, key: str) -> Path:
        return self.root / require_key(key)

    def _described(self, keys: Iterable[str]) -> Iterator[StoredObject]:
        """Size and age of each, as they are when it is asked for."""
        for key in sorted(keys):
            with suppress(FileNotFoundError):  # deleted since
                status = (self.root / key).stat()
                yield StoredObject(key, status.st_size, datetime.fromtimestamp(status.st_mtime, UTC))

    def _lacks(self, key: str, size: int) -> bool:
        """Say whether an object has to be written: a loss of power can leave a name without its bytes.

        One that has not counts as written now.
        """
        path = self._path(key)
        try:
            if path.stat().st_size != size:
                return True
            os.utime(path)
        except OSError:  # it is not there, or somebody else's
            return True
        return False

    def _write(self, key: str, write: Callable[[BinaryIO], object]) -> None:
        path = self._path(key)
        partial = path.with_name(f"{uuid4().hex}{_PARTIAL}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with partial.open("xb") as file:
                write(file)
            partial.replace(path)
        except OSError as error:
            message = f"The object store cannot be written: {error.strerror} ({self.root})."
            raise InfrastructureError("store", message, str(error)) from error
        finally:
            with suppress(OSError):  # it is there only if something went wrong
                partial.unlink()
