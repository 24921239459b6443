"""Garbage collection: deleting the objects that nobody can ask for any more.

What stays: the bundles that a record names (see records), everything younger than the days of grace,
what a running ingest or training has noted, and all that these need. Whoever makes an artefact
writes, or writes again, what it is made of, and a store counts that as new (see ObjectStore); whoever
finds one renews its record (see Catalog.once). So nothing that is about to be used is old, as long as
making an artefact takes less than the days of grace.

Records go first, in one transaction, then bundles, then what they named: killed anywhere, it leaves
nothing that points to something deleted, and the next one goes on.
"""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby, islice

from cv_pipelines.catalog import Catalog
from cv_pipelines.database.engine import transaction
from cv_pipelines.errors import InfrastructureError
from cv_pipelines.images.known import PREFIX as JOURNALS
from cv_pipelines.progress import Progress, silent
from cv_pipelines.retention.copies import IMAGES
from cv_pipelines.retention.needs import THREADS, objects_in, parts_of
from cv_pipelines.retention.records import drop_garbage
from cv_pipelines.storage.packs import PREFIX as PACKS
from cv_pipelines.storage.protocol import ObjectStore, StoredObject

BUNDLES, CHECKPOINTS = "bundles/", "checkpoints/"
PREFIXES = (BUNDLES, "parts/", PACKS, IMAGES, JOURNALS, CHECKPOINTS)
"""Where garbage is looked for, in the order in which it goes; what lies elsewhere is somebody else's."""
LEFTOVERS = "leftovers"
_AT_ONCE = 256


@dataclass
class Amount:
    """How much of something."""

    objects: int = 0
    bytes: int = 0

    def add(self, size: int) -> None:
        """Count an object."""
        self.objects += 1
        self.bytes += size


@dataclass
class Tally:
    """How much of a kind stays, and how much goes."""

    kept: Amount = field(default_factory=Amount)
    deleted: Amount = field(default_factory=Amount)


def collect_garbage(
    catalog: Catalog, older_than: datetime, dry_run: bool = False, progress: Progress = silent
) -> dict[str, Tally]:
    """Delete what is garbage and was written before a point in time.

    Args:
        catalog: where artefacts are.
        older_than: where the days of grace begin.
        dry_run: delete nothing, and tell what would go.
        progress: is told of tables and objects.

    Returns:
        What stays and goes by kind: the prefix of its key without `/`, or LEFTOVERS.

    Raises:
        InfrastructureError: something that stays cannot be read. No object was deleted.
    """
    store = catalog.store
    # before the artefacts: what an ingest has noted is, when it ends, first in its manifest and then here no more
    needed = _unfinished(store, older_than)
    with transaction(catalog.database, pretend=dry_run) as connection:
        recorded = drop_garbage(connection, older_than)
    bundles = {one.key for one in store.objects(BUNDLES) if one.key in recorded or one.written_at >= older_than}
    parts = parts_of(store, bundles)
    needed |= bundles | parts | objects_in(store, parts, progress)
    sweep = _Sweep(store, needed, older_than, dry_run, progress)
    tallies = {prefix.rstrip("/"): sweep.run(store.objects(prefix)) for prefix in PREFIXES}
    return {**tallies, LEFTOVERS: sweep.run(one for one in store.leftovers() if one.key.startswith(PREFIXES))}


def delete_objects(store: ObjectStore, keys: Iterable[str]) -> None:
    """Delete many objects, several at once, in about this order."""
    left = iter(keys)
    with ThreadPoolExecutor(THREADS) as pool:
        while batch := list(islice(left, _AT_ONCE)):
            list(pool.map(store.delete, batch))


@dataclass
class _Sweep:
    """One pass over the store."""

    store: ObjectStore
    needed: set[str]
    older_than: datetime
    dry_run: bool
    progress: Progress
    seen: int = 0

    def run(self, listing: Iterator[StoredObject]) -> Tally:
        tally = Tally()
        garbage = self._garbage(listing, tally)
        if self.dry_run:
            for _ in garbage:
                pass
        else:
            delete_objects(self.store, garbage)
        return tally

    def _garbage(self, listing: Iterator[StoredObject], tally: Tally) -> Iterator[str]:
        """Keys to delete, as they are listed: no more than a moment after the look at their age."""
        for one in listing:
            stays = one.key in self.needed or one.written_at >= self.older_than
            (tally.kept if stays else tally.deleted).add(one.size)
            self.seen += 1
            self.progress("looking at objects", self.seen)
            if not stays:
                yield one.key


def _unfinished(store: ObjectStore, older_than: datetime) -> set[str]:
    """Keys of the notes of ingests and trainings that may still go on, and of the packs that they name."""
    journals, checkpoints = (_touched_since(store, prefix, older_than) for prefix in (JOURNALS, CHECKPOINTS))
    named: set[str] = set()
    for journal in journals:
        try:
            named |= objects_in(store, [journal])
        except InfrastructureError as error:
            if error.code != "missing_object":  # its ingest has ended just now
                raise
    return journals | checkpoints | named


def _touched_since(store: ObjectStore, prefix: str, older_than: datetime) -> set[str]:
    """Keys below those folders in which anything was written."""
    keys: set[str] = set()
    for _, folder in groupby(store.objects(prefix), lambda one: one.key.split("/")[1]):
        inside = list(folder)
        if max(one.written_at for one in inside) >= older_than:
            keys |= {one.key for one in inside}
    return keys
