"""Small files that can be made again, kept on this machine within a budget."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from threading import get_ident

from cv_pipelines.storage.scratch import make_room


@dataclass(frozen=True)
class Shelf:
    """A folder that several processes and threads may use; what was unused longest goes first.

    Attributes:
        folder: made when it is needed.
        budget: bytes.
        digits: it holds one folder for 0, 16 for 1, 256 for 2. Room is made in one at a time, which looks at
            its files only: many small files want more folders.
    """

    folder: Path
    budget: int
    digits: int = 1

    def get(self, *identity: object) -> bytes | None:
        """What was put under this identity, if it is still there."""
        path = self._path(identity)
        try:
            data = path.read_bytes()
            os.utime(path)
        except FileNotFoundError:
            return None
        return data

    def put(self, data: bytes, *identity: object) -> None:
        """Keep something; whoever reads meanwhile sees all of it, or what was there before."""
        path = self._path(identity)
        path.parent.mkdir(parents=True, exist_ok=True)
        make_room(path.parent, len(data), self.budget // 16**self.digits)
        partial = path.with_name(f"{path.name}.{get_ident()}.{os.getpid()}.partial")
        try:
            partial.write_bytes(data)
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)

    def _path(self, identity: tuple[object, ...]) -> Path:
        digest = hashlib.sha256("\n".join(map(str, identity)).encode("utf-8", "surrogateescape")).hexdigest()
        return self.folder / digest[: self.digits] / digest
