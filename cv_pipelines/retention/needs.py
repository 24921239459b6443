"""What artefacts need: the objects that lie below their bundles."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cv_pipelines.errors import InfrastructureError
from cv_pipelines.progress import Progress, silent
from cv_pipelines.storage.bundles import Reference, open_bundle
from cv_pipelines.storage.protocol import ObjectStore

PLACES = "uri"
"""The column of a table that says where its images are."""
THREADS = 16
"""Requests at once: over a network they mostly wait."""


def parts_of(store: ObjectStore, bundles: Iterable[str]) -> set[str]:
    """Keys of the parts of bundles.

    Raises:
        InfrastructureError: a bundle cannot be read, so nobody knows what it needs.
    """
    with ThreadPoolExecutor(THREADS) as pool:
        return set().union(*pool.map(lambda key: _parts(store, key), bundles))


def objects_in(store: ObjectStore, parts: Iterable[str], progress: Progress = silent) -> set[str]:
    """Keys of the packs and images that parts name, which are tables; memory grows with packs, not with images.

    Raises:
        InfrastructureError: one cannot be read, so nobody knows what it needs.
    """
    wanted, found = list(parts), set[str]()
    with ThreadPoolExecutor(THREADS) as pool:
        for done, keys in enumerate(pool.map(lambda part: _objects(store, part), wanted), start=1):
            found |= keys
            progress("reading tables", done, len(wanted))
    return found


def places_in(store: ObjectStore, part: str) -> Iterator[pa.Array]:
    """Where images are according to a part, some thousand rows at a time; nothing from one that names none.

    Raises:
        InfrastructureError: code `missing_object` or `damaged_object`.
    """
    if not part.endswith(".parquet"):
        return
    try:
        with store.open(part) as file, pq.ParquetFile(file) as parquet:
            if PLACES in parquet.schema_arrow.names:
                for batch in parquet.iter_batches(columns=[PLACES], use_threads=False):
                    yield batch.column(0).drop_null()
    except pa.ArrowException as error:
        raise _damaged(part, error) from error


def keys_of(places: pa.Array) -> pa.Array:
    """The key of the object in which each image is: a pack, or one of its own."""
    return pc.replace_substring_regex(places, "@.*$", "")


def _parts(store: ObjectStore, bundle: str) -> set[str]:
    try:
        return {*open_bundle(store, Reference("", "", bundle)).parts.values()}
    except ValueError as error:
        raise _damaged(bundle, error) from error


def _objects(store: ObjectStore, part: str) -> set[str]:
    return {key for places in places_in(store, part) for key in pc.unique(keys_of(places)).to_pylist()}


def _damaged(key: str, error: Exception) -> InfrastructureError:
    message = f"The object '{key}' is damaged, and nobody knows what it needs: restore it from a backup."
    return InfrastructureError("damaged_object", message, repr(error))
