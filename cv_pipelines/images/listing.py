"""What a source holds, as a table: the same files listed again give the same hash."""

from collections.abc import Iterator
from itertools import islice

import pyarrow as pa

from cv_pipelines.hashing import hash_rows
from cv_pipelines.images.manifest import LISTING
from cv_pipelines.images.sources.protocol import ImageSource, SourceItem
from cv_pipelines.progress import Progress, silent

_CHUNK = 10_000


def read_listing(source: ImageSource, progress: Progress = silent) -> pa.Table:
    """List a source, as LISTING, ordered by path.

    Raises:
        InputError: the source is not there or cannot be listed.
    """
    items = source.items()
    chunks: list[pa.RecordBatch] = []
    done = 0
    while taken := list(islice(items, _CHUNK)):
        chunks.append(_columns(taken))
        done += len(taken)
        progress("listing files", done, None)
    return pa.Table.from_batches(chunks, LISTING).sort_by("path").combine_chunks()


def listing_hash(listing: pa.Table) -> str:
    """A hash that changes when a file comes, goes, changes, or is labelled otherwise."""
    return hash_rows(listing.drop_columns("location"))


def listed_items(listing: pa.Table) -> Iterator[SourceItem]:
    """The rows of a listing as what a source reads, made as they are needed."""
    for batch in listing.to_batches(max_chunksize=_CHUNK):
        yield from map(SourceItem, *(column.to_pylist() for column in batch.columns))


def _columns(items: list[SourceItem]) -> pa.RecordBatch:
    """The fields of items, of which LISTING has the first ones in this order."""
    columns = list(zip(*items, strict=True))[: len(LISTING)]
    return pa.record_batch([pa.array(column, pa.string()) for column in columns], schema=LISTING)
