"""Reading Parquet through a Python file."""

from collections.abc import Iterator
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq


def read_parquet(file: BinaryIO, columns: list[str] | None = None) -> pa.Table:
    """Read a table, or only some of its columns.

    On this thread alone: one of Arrow's own that still holds a Python file when the interpreter ends
    takes the process down ("terminate called without an active exception").
    """
    return pq.ParquetFile(file, pre_buffer=False).read(columns=columns, use_threads=False)


def read_batches(file: BinaryIO, columns: list[str]) -> Iterator[pa.RecordBatch]:
    """Read some columns of a table, a part at a time; likewise on this thread alone."""
    yield from pq.ParquetFile(file, pre_buffer=False).iter_batches(columns=columns, use_threads=False)
