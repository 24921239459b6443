"""From a source to an image manifest."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property, partial

import pyarrow as pa
import pyarrow.compute as pc

from cv_pipelines.catalog import Catalog, Outcome
from cv_pipelines.errors import InternalError
from cv_pipelines.hashing import hash_rows, hash_values
from cv_pipelines.images.duplicates import Comparison, near_duplicates
from cv_pipelines.images.inspection import UNREADABLE, Inspector, crashed
from cv_pipelines.images.known import Journal, lasting, look_up
from cv_pipelines.images.listing import listed_items, listing_hash, read_listing
from cv_pipelines.images.manifest import FACTS, manifest_version
from cv_pipelines.images.sources.protocol import ImageSource
from cv_pipelines.images.stored import StoredImages
from cv_pipelines.images.tabulation import Tables, tabulate
from cv_pipelines.progress import Progress, silent
from cv_pipelines.storage.bundles import Bundle, Reference, put_bundle, put_table
from cv_pipelines.storage.protocol import ObjectStore
from cv_pipelines.workers import few_collections, map_in_workers, start_server

CODE_VERSION = "3"
"""Raise it when the same files would give another manifest."""
_LARGEST_BATCH = 256
"""Files a call of a worker: enough to fill a pack, where there are so many."""
_SMALLEST_BATCH = 8
"""Fewer would make packs of single images, where a data set grows a little at a time."""
_SHARES = 8
"""Calls that each worker gets at least, so that all end at about the same time."""
_SAVE_SECONDS = 5


@dataclass(frozen=True)
class Wishes:
    """What people have decided about files and images; see Inspector.

    Attributes:
        accepted: paths of quarantined files that are wanted all the same.
        forgotten: ids of images that must not come back.
        retry: read the files in quarantine again, though they have not changed.
    """

    accepted: frozenset[str] = frozenset()
    forgotten: frozenset[str] = frozenset()
    retry: bool = False


def ingest(
    catalog: Catalog,
    source: ImageSource,
    workers: int,
    progress: Progress = silent,
    previous: Reference | None = None,
    wishes: Wishes = Wishes(),
) -> Outcome:
    """Make the manifest of a source; only files that are new or have changed are read.

    Files that could not be read are tried again each time: what hindered it may be over.

    The artefact holds the parts `images`, `quarantine`, `near_duplicates`, and for the next ingest
    `files` (FACTS) and `comparisons`; and the facts `files`, `images`, `duplicates`, `quarantined`
    (files = images + duplicates + quarantined).

    Args:
        catalog: where artefacts are.
        source: where the files are.
        workers: processes that decode.
        progress: is told of files.
        previous: the manifest of the same source before, if there is one.
        wishes: what people have decided.
    """
    start_server(Inspector.__module__)
    with few_collections():
        return _ingest(catalog, source, workers, progress, previous, wishes)


def _ingest(
    catalog: Catalog,
    source: ImageSource,
    workers: int,
    progress: Progress,
    previous: Reference | None,
    wishes: Wishes,
) -> Outcome:
    listing = read_listing(source, progress)

    def make(_: str) -> Reference:
        return _Ingest(catalog, source, listing, workers, progress, previous, wishes).run()

    inputs = {
        "listing": hash_rows(listing),
        "accepted": sorted(wishes.accepted),
        "forgotten": sorted(wishes.forgotten),
        "code": CODE_VERSION,
    }
    outcome = catalog.once("image_manifest", inputs, make, lambda one: _is_settled(one.facts, listing, wishes))
    journal_of(catalog.store, source).delete()  # only now is what it notes on record
    same = previous is not None and previous.version == outcome.reference.version
    return replace(outcome, reused=outcome.reused or same)


def journal_of(store: ObjectStore, source: ImageSource) -> Journal:
    """What an ingest of a source has found so far; empty but while it goes on, or after it was killed."""
    return Journal(store, hash_values({"source": repr(source), "code": CODE_VERSION}))


def _is_settled(facts: dict[str, int], listing: pa.Table, wishes: Wishes) -> bool:
    """Whether a manifest of this listing cannot turn out otherwise if it is made again."""
    unstamped = pc.and_(pc.equal(listing["stamp"], ""), pc.equal(listing["problem"], ""))
    wanted = wishes.retry and facts["quarantined"]
    return not (facts["unread"] or wanted or pc.any(unstamped).as_py())


@dataclass(frozen=True)
class _Ingest:
    """One ingest, with everything that it needs."""

    catalog: Catalog
    source: ImageSource
    listing: pa.Table
    workers: int
    progress: Progress
    previous: Reference | None
    wishes: Wishes

    def run(self) -> Reference:
        started = time.perf_counter()
        journal = journal_of(self.catalog.store, self.source)
        known = self._known(journal.read())
        read = self._read_new(known, journal)
        facts = pa.concat_tables([known, read]) if read.num_rows else known
        found = tabulate(self.listing, facts, self.wishes.accepted)
        comparison = self._compare(found)
        seconds = time.perf_counter() - started
        return self._store(found, comparison, facts={"images_per_second": round(read.num_rows / seconds, 1)})

    @cached_property
    def _earlier(self) -> Bundle | None:
        """The manifest before, if this code made it: what other code has found is found out again."""
        bundle = self.catalog.open(self.previous) if self.previous else None
        return bundle if bundle and bundle.facts.get("code") == CODE_VERSION else None

    def _known(self, noted: pa.Table) -> pa.Table:
        """Facts of files as earlier ingests found them, those of forgotten images left out."""
        earlier = [self._earlier.table("files")] if self._earlier else []
        known = lasting(pa.concat_tables([*earlier, noted]))
        unwanted = pc.is_in(known["image_id"], pa.array(self.wishes.forgotten, pa.string()))
        wanted = self.listing.filter(pc.is_in(self.listing["path"], pa.array(self.wishes.accepted, pa.string())))
        again = pc.is_in(known["location"], wanted["location"].combine_chunks())
        unwanted = pc.or_(unwanted, pc.and_(again, pc.not_equal(known["code"], "")))
        if self.wishes.retry:
            unwanted = pc.or_(unwanted, pc.not_equal(known["code"], ""))
        return known.filter(pc.invert(unwanted))

    def _read_new(self, known: pa.Table, journal: Journal) -> pa.Table:
        """Read what is not known, in worker processes."""
        usable = self.listing.filter(pc.equal(self.listing["problem"], ""))
        new = usable.filter(pc.is_null(look_up(usable, known)))
        work = Inspector(self.source, self.catalog.store, self.wishes.accepted, self.wishes.forgotten)
        found = [FACTS.empty_table()]
        batch = max(_SMALLEST_BATCH, min(_LARGEST_BATCH, new.num_rows // (self.workers * _SHARES)))
        done, saved = 0, time.monotonic()
        for columns in map_in_workers(work, listed_items(new), crashed, self.workers, batch):
            facts = pa.table(columns, FACTS)
            found.append(facts)
            journal.note(facts)
            done += facts.num_rows
            self.progress("reading images", done, new.num_rows)
            if time.monotonic() - saved > _SAVE_SECONDS:
                journal.save()
                saved = time.monotonic()
        return pa.concat_tables(found).combine_chunks()

    def _compare(self, found: Tables) -> Comparison:
        """Near duplicates; pairs that were compared before are not compared again."""
        known = self._earlier.table("comparisons") if self._earlier else None
        images = StoredImages(self.catalog.store, found.images["image_id"], found.images["uri"])
        return near_duplicates(found.images, images.read, known, self.progress)

    def _store(self, found: Tables, comparison: Comparison, facts: dict[str, float]) -> Reference:
        store, files = self.catalog.store, self.listing.num_rows
        images, quarantined = found.images.num_rows, found.quarantine.num_rows
        duplicates = pc.sum(pc.list_value_length(found.images["sources"]), min_count=0).as_py() - images
        if files != images + duplicates + quarantined:
            message = f"Of {files} files {images + duplicates + quarantined} are accounted for. Please report it."
            raise InternalError("lost_files", message)
        counts = {
            "code": CODE_VERSION,
            "files": files,
            "images": images,
            "duplicates": duplicates,
            "quarantined": quarantined,
            "near_duplicates": comparison.pairs.num_rows,
            "listing": listing_hash(self.listing),
            "unread": found.quarantine["code"].to_pylist().count(UNREADABLE),
        }
        tables = {
            "images": found.images,
            "quarantine": found.quarantine,
            "near_duplicates": comparison.pairs,
            "comparisons": comparison.compared,
            "files": found.files,
        }
        with ThreadPoolExecutor(len(tables)) as pool:
            parts = dict(zip(tables, pool.map(partial(put_table, store), tables.values()), strict=True))
        version = manifest_version(found.images, found.quarantine)
        return put_bundle(store, "image_manifest", version, {**counts, **facts}, parts)
