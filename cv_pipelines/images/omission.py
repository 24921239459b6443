"""A manifest without images that were forgotten: what an ingest would make of the same files now."""

from collections.abc import Collection

import pyarrow as pa
import pyarrow.compute as pc

from cv_pipelines.catalog import Catalog
from cv_pipelines.images.inspection import FORGOTTEN, FORGOTTEN_REASON
from cv_pipelines.images.manifest import FACTS, QUARANTINE, manifest_version
from cv_pipelines.storage.bundles import Bundle, Reference, put_bundle, put_table


def without_images(catalog: Catalog, manifest: Reference, forgotten: Collection[str]) -> Reference:
    """Leave images out of a manifest; it is the same one where it has none of them.

    Their files are in quarantine, so that files = images + duplicates + quarantined still holds.

    Args:
        catalog: where artefacts are.
        manifest: an `image_manifest`, which stays as it is.
        forgotten: ids of images.
    """
    bundle, ids = catalog.open(manifest), pa.array(sorted(forgotten), pa.string())
    if not has_images(bundle, ids):
        return manifest
    before = {part: bundle.table(part) for part in bundle.parts}
    tables = {part: _without(table, ids) for part, table in before.items()}
    tables["quarantine"] = _quarantine(before["images"], before["quarantine"], ids)
    if "files" in before:
        tables["files"] = _files(before["files"], ids)
    images, quarantine = tables["images"], tables["quarantine"]
    counts = {
        "images": images.num_rows,
        "duplicates": bundle.facts["files"] - images.num_rows - quarantine.num_rows,
        "quarantined": quarantine.num_rows,
        "near_duplicates": tables["near_duplicates"].num_rows,
    }
    parts = {part: put_table(catalog.store, table) for part, table in tables.items()}
    version = manifest_version(images, quarantine)
    return put_bundle(catalog.store, manifest.kind, version, {**bundle.facts, **counts}, parts)


def has_images(manifest: Bundle, ids: pa.Array) -> bool:
    """Say whether a manifest names any of these images, in use or in quarantine."""
    parts = [part for part in ("images", "files") if part in manifest.parts]  # at first there were no files
    named = (manifest.table(part, ["image_id"])["image_id"] for part in parts)
    return any(pc.any(pc.is_in(column, ids)).as_py() for column in named)


def _without(table: pa.Table, ids: pa.Array) -> pa.Table:
    """The rows that name none of these images, neither alone nor in a pair."""
    for name in {"image_id", "other_id"}.intersection(table.column_names):
        table = table.filter(pc.invert(pc.is_in(table[name], ids)))
    return table


def _quarantine(images: pa.Table, quarantine: pa.Table, ids: pa.Array) -> pa.Table:
    """QUARANTINE with every file of these images, whether it was in use or in quarantine before."""
    if "image_id" not in quarantine.column_names:  # at first it was not noted
        quarantine = quarantine.append_column("image_id", pa.nulls(len(quarantine), pa.string()))
    used = images.filter(pc.is_in(images["image_id"], ids))["sources"].combine_chunks().flatten()
    refused = quarantine.filter(pc.is_in(quarantine["image_id"], ids))["path"]
    paths = pa.chunked_array([used, *refused.chunks], pa.string())
    why = (pa.repeat(text, len(paths)) for text in (FORGOTTEN, FORGOTTEN_REASON))
    rows = pa.table([paths, *why, pa.nulls(len(paths), pa.string())], schema=QUARANTINE)
    return pa.concat_tables([_without(quarantine, ids), rows]).sort_by("path").combine_chunks()


def _files(files: pa.Table, ids: pa.Array) -> pa.Table:
    """FACTS according to which the files of these images were refused when they were read."""
    refused = files.filter(pc.is_in(files["image_id"], ids))
    columns = {name: pa.nulls(len(refused), FACTS.field(name).type) for name in FACTS.names}
    columns |= {name: refused[name] for name in ("location", "stamp")}
    columns |= {"code": pa.repeat(FORGOTTEN, len(refused)), "reason": pa.repeat(FORGOTTEN_REASON, len(refused))}
    return pa.concat_tables([_without(files, ids), pa.table(columns, FACTS)])
