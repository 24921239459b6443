"""A bundle: a small JSON object with facts and the keys of the objects that belong to it.

Every artefact of the platform is one: a reader opens the bundle and follows its parts, and never
guesses a key. Parts and bundles are named by their own SHA-256, so both are immutable.
"""

import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from cv_pipelines.errors import InternalError
from cv_pipelines.storage.parquet import read_parquet
from cv_pipelines.storage.protocol import ObjectStore


@dataclass(frozen=True)
class Reference:
    """What assets pass on: the version of an artefact and the key of its bundle."""

    kind: str
    version: str
    key: str


@dataclass(frozen=True)
class Bundle:
    """An artefact, read: its facts, and its parts by name."""

    store: ObjectStore
    kind: str
    version: str
    facts: dict[str, Any]
    parts: dict[str, str]

    def bytes(self, part: str) -> bytes:
        """Read one part whole."""
        return self.store.get(self._key(part))

    def open(self, part: str) -> BinaryIO:
        """Open one part for reading; the file can seek."""
        return self.store.open(self._key(part))

    def table(self, part: str, columns: list[str] | None = None) -> pa.Table:
        """Read one part as an Arrow table, or only some of its columns."""
        # without Arrow's threads: one that lets go of our file when a short command ends aborts the process
        with self.store.open(self._key(part)) as file:
            return read_parquet(file, columns)

    def _key(self, part: str) -> str:
        if part not in self.parts:
            raise InternalError("no_part", f"This {self.kind} ({self.version}) has no part '{part}'.")
        return self.parts[part]


def put_part(store: ObjectStore, data: bytes, suffix: str) -> str:
    """Store bytes under the key of their content."""
    digest = hashlib.sha256(data).hexdigest()
    key = f"parts/{digest[:2]}/{digest}{suffix}"
    store.put(key, data)
    return key


def put_file(store: ObjectStore, path: Path) -> str:
    """Store a file under the key of its content, without loading it."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    key = f"parts/{digest[:2]}/{digest}{path.suffix}"
    store.put_file(key, path)
    return key


def put_table(store: ObjectStore, table: pa.Table) -> str:
    """Store a table as Parquet under the key of its content."""
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    return put_part(store, buffer.getvalue(), ".parquet")


def put_bundle(
    store: ObjectStore, kind: str, version: str, facts: Mapping[str, Any], parts: Mapping[str, str]
) -> Reference:
    """Write a bundle, after all of its parts are there; once it returns, both are there for good."""
    content = {"kind": kind, "version": version, "facts": facts, "parts": parts}
    data = json.dumps(content, ensure_ascii=False, indent=1).encode()
    key = f"bundles/{kind}/{hashlib.sha256(data).hexdigest()}.json"
    store.flush()
    store.put(key, data)
    store.flush()
    return Reference(kind, version, key)


def open_bundle(store: ObjectStore, reference: Reference) -> Bundle:
    """Read the bundle that a reference points to."""
    content = json.loads(store.get(reference.key))
    return Bundle(store, content["kind"], content["version"], content["facts"], content["parts"])
