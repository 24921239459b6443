"""The object store of one machine: a folder."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from cv_pipelines.errors import InfrastructureError


class LocalStore:
    """Objects as files; every file appears whole or not at all (written aside, then renamed)."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def put(self, key: str, data: bytes) -> None:
        """See ObjectStore."""
        path = self._path(key)
        # a loss of power can leave a name without its bytes
        if not path.is_file() or path.stat().st_size != len(data):
            self.replace(key, data)

    def replace(self, key: str, data: bytes) -> None:
        """See ObjectStore."""
        self._write(key, lambda file: file.write(data))

    def put_file(self, key: str, path: Path) -> None:
        """See ObjectStore."""
        if not self.exists(key):
            with path.open("rb") as source:
                self._write(key, lambda file: shutil.copyfileobj(source, file))

    def get(self, key: str) -> bytes:
        """See ObjectStore."""
        with self.open(key) as file:
            return file.read()

    def open(self, key: str) -> BinaryIO:
        """See ObjectStore."""
        try:
            return self._path(key).open("rb")
        except FileNotFoundError as error:
            message = f"The object store has no '{key}'. Materialize the asset that makes it again."
            raise InfrastructureError("missing_object", message, str(self.root)) from error

    def exists(self, key: str) -> bool:
        """See ObjectStore."""
        return self._path(key).is_file()

    def keys(self, prefix: str) -> Iterator[str]:
        """See ObjectStore."""
        folder = self._path(prefix.rpartition("/")[0]) if "/" in prefix else self.root
        found = (path.relative_to(self.root).as_posix() for path in folder.rglob("*") if path.is_file())
        yield from sorted(key for key in found if key.startswith(prefix) and not key.endswith(".partial"))

    def delete(self, key: str) -> None:
        """See ObjectStore."""
        self._path(key).unlink(missing_ok=True)

    def flush(self) -> None:
        """See ObjectStore."""
        os.sync()  # once for all files so far: a sync for each would cost an ingest minutes

    def _path(self, key: str) -> Path:
        if not {"", ".", ".."}.isdisjoint(key.split("/")):
            raise ValueError(f"not a key: {key!r}")
        return self.root / key

    def _write(self, key: str, write: Callable[[BinaryIO], object]) -> None:
        path = self._path(key)
        partial = path.with_name(f"{uuid4().hex}.partial")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with partial.open("xb") as file:
                write(file)
            partial.replace(path)
        except OSError as error:
            partial.unlink(missing_ok=True)
            message = f"The object store cannot be written: {error.strerror} ({self.root})."
            raise InfrastructureError("store", message, str(error)) from error
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
