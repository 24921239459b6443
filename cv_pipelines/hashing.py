"""Content hashes: of values, of tables, of our own source."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

VERSION_LENGTH = 16
"""Hexadecimal digits of a hash that people see as a version."""


def hash_values(values: Mapping[str, Any]) -> str:
    """SHA-256 (hex) of JSON values; the order of keys does not matter."""
    text = json.dumps(values, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def hash_rows(table: pa.Table) -> str:
    """SHA-256 (hex) of a table's rows as text, in their order; lists are joined.

    Each value is written after its own length in bytes, so that no value can look like two. The
    hash depends on names and values only, never on how Arrow or Parquet lay them out.
    """
    digest = hashlib.sha256(json.dumps(table.column_names).encode())
    for batch in table.combine_chunks().to_batches(max_chunksize=65536):
        texts = [_as_text(column) for column in batch.columns]
        for text in texts:
            lengths = pc.binary_length(text).cast(pa.int32())
            digest.update(lengths.to_numpy(zero_copy_only=False).astype("<i4").tobytes())
            digest.update(_content(text))
    return digest.hexdigest()


def hash_files(paths: Iterable[Path]) -> str:
    """SHA-256 (hex) of files: of our own source, a code version that nobody has to remember to raise."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _as_text(column: pa.Array) -> pa.Array:
    if pa.types.is_list(column.type):
        lengths = pc.list_value_length(column).cast(pa.string())
        column = pc.binary_join_element_wise(lengths, pc.binary_join(column, "\x1f"), "\x1e")
    return pc.fill_null(column.cast(pa.string()), "\x00")


def _content(text: pa.Array) -> bytes:
    """The bytes of all strings, one after the other."""
    joined = pc.binary_join(pa.ListArray.from_arrays(pa.array([0, len(text)], pa.int32()), text), "")
    return bytes(joined[0].as_buffer())
