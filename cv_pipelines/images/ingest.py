"""From a source to an image manifest."""

import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import pyarrow as pa

from cv_pipelines.catalog import Catalog, Outcome
from cv_pipelines.hashing import hash_values
from cv_pipelines.images.decode import Pixels, decode_image
from cv_pipelines.images.duplicates import near_duplicates
from cv_pipelines.images.inspection import UNREADABLE, Inspection, image_key, inspect_items
from cv_pipelines.images.manifest import IMAGES, NEAR_DUPLICATES, QUARANTINE, manifest_version
from cv_pipelines.images.sources.factory import listing_hash
from cv_pipelines.images.sources.files import readable_name
from cv_pipelines.images.sources.protocol import ImageSource, SourceItem
from cv_pipelines.images.workers import map_in_workers
from cv_pipelines.progress import Progress, silent
from cv_pipelines.storage.bundles import Reference, put_bundle, put_table

if TYPE_CHECKING:
    import pandas as pd

CODE_VERSION = "1"
"""Raise it when the same files would give another manifest."""


@dataclass(frozen=True)
class Tables:
    """What an ingest found: images as IMAGES, files left out as QUARANTINE."""

    images: pa.Table
    quarantine: pa.Table


def ingest(catalog: Catalog, source: ImageSource, workers: int, progress: Progress = silent) -> Outcome:
    """Make the manifest of a source; an unchanged listing is recognised without reading a file.

    Files that could not be read are tried again each time: what hindered it may be over.

    The artefact holds the parts `images`, `quarantine` and `near_duplicates`, and the facts
    `files`, `images`, `duplicates`, `quarantined` (files = images + duplicates + quarantined).
    """
    items = list(source.items())
    listing = listing_hash(items)

    def make(_: str) -> Reference:
        started = time.perf_counter()
        found = tabulate(read_all(catalog, source, items, workers, progress))
        seconds = time.perf_counter() - started
        pairs = near_duplicates(found.images, lambda image: read_small(catalog, image))
        return _store(catalog, found, pairs, len(items), listing, seconds)

    # another folder may hold other files of the same names, sizes and times
    places = hash_values({"places": [readable_name(item.location) for item in items]})
    inputs = {"listing": listing, "places": places, "code": CODE_VERSION}
    return catalog.once("image_manifest", inputs, make, settled=lambda bundle: bundle.facts["unread"] == 0)


def read_all(
    catalog: Catalog, source: ImageSource, items: list[SourceItem], workers: int, progress: Progress
) -> "pd.DataFrame":
    """Read every file in worker processes; one row per file, ordered by path."""
    import pandas as pd

    rows: list[pd.DataFrame] = []
    done = 0
    work = partial(inspect_items, source, catalog.store)
    for inspected in map_in_workers(work, items, _crashed, workers):
        rows.append(pd.DataFrame([_row(inspection) for inspection in inspected]))
        done += len(inspected)
        progress("reading images", done, len(items))
    columns = ["path", "code", "reason", *IMAGES.names]
    table = pd.concat(rows, ignore_index=True) if rows else pd.DataFrame()
    return table.reindex(columns=columns).sort_values("path", kind="stable", ignore_index=True)


def tabulate(files: "pd.DataFrame") -> Tables:
    """Join equal bytes into one image; the same bytes in two classes are nobody's to decide here.

    Args:
        files: as `read_all` gives them.
    """
    import pandas as pd

    good = files[files["code"] == ""]
    labels = good.groupby("image_id")["source_label"].nunique()
    conflicts = good["image_id"].isin(labels.index[labels > 1])
    reason = "the same image stands in two classes; keep it in one of them"
    refused = good[conflicts].assign(code="label_conflict", reason=reason)
    quarantine = pd.concat([files[files["code"] != ""], refused]).sort_values("path", kind="stable")

    kept = good[~conflicts]
    equal = kept.groupby("image_id", sort=True)
    # the first value that is there: one of equal files may be without a class
    images = equal.first().drop(columns=["path", "code", "reason"]).reset_index()
    images["sources"] = pd.Series([list(paths) for _, paths in equal["path"]], dtype=object)
    return Tables(
        pa.Table.from_pandas(images.reindex(columns=IMAGES.names), IMAGES, preserve_index=False),
        pa.Table.from_pandas(quarantine[QUARANTINE.names], QUARANTINE, preserve_index=False),
    )


def read_small(catalog: Catalog, image_id: str) -> Pixels:
    """Pixels of a stored image, at a size that is enough to compare."""
    return decode_image(catalog.store.get(image_key(image_id)), at_least=128)


def _row(inspection: Inspection) -> dict[str, object]:
    item = inspection.item
    return {
        "path": item.path,
        "code": inspection.code,
        "reason": inspection.reason,
        "source_label": item.label,
        "source_split": item.split,
        "source_group": item.group,
        **(inspection.facts or {}),
    }


def _crashed(item: SourceItem) -> Inspection:
    return Inspection(item, None, "decoder_crashed", "the decoder's process died on this file")


def _store(
    catalog: Catalog, found: Tables, pairs: pa.Table, files: int, listing: str, seconds: float
) -> Reference:
    images, quarantined = found.images.num_rows, found.quarantine.num_rows
    facts = {
        "files": files,
        "images": images,
        "duplicates": files - images - quarantined,
        "quarantined": quarantined,
        "near_duplicates": pairs.num_rows,
        "images_per_second": round(files / seconds, 1),
        "listing": listing,
        "unread": found.quarantine["code"].to_pylist().count(UNREADABLE),
    }
    parts = {
        "images": put_table(catalog.store, found.images),
        "quarantine": put_table(catalog.store, found.quarantine),
        "near_duplicates": put_table(catalog.store, pairs.cast(NEAR_DUPLICATES)),
    }
    version = manifest_version(found.images, found.quarantine)
    return put_bundle(catalog.store, "image_manifest", version, facts, parts)
