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

    Lists and values are written after their own length (-1: null), so that no two look like one. The
    hash depends on names and values only, never on how Arrow or Parquet lay them out.
    """
    digest = hashlib.sha256(json.dumps(table.column_names).encode())
    for batch in table.combine_chunks().to_batches(max_chunksize=65536):
        for column in batch.columns:
            if pa.types.is_list(column.type):
                digest.update(_numbers(pc.list_value_length(column)))
                column = column.flatten()
            text = column.cast(pa.string())
            digest.update(_numbers(pc.binary_length(text)))
            digest.update(_content(pc.fill_null(text, "")))
    return digest.hexdigest()


def hash_files(paths: Iterable[Path]) -> str:
    """SHA-256 (hex) of files: of our own source, a code version that nobody has to remember to raise."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _numbers(lengths: pa.Array) -> bytes:
    """Lengths as bytes; no value is -1."""
    filled = pc.fill_null(lengths.cast(pa.int32()), -1)
    return bytes(filled.to_numpy(zero_copy_only=False).astype("<i4").tobytes())


def _content(text: pa.Array) -> bytes:
    """The bytes of all strings, one after the other."""
    joined = pc.binary_join(pa.ListArray.from_arrays(pa.array([0, len(text)], pa.int32()), text), "")
    return bytes(joined[0].as_buffer())
