"""The regions of a video as an artefact: as a table, in the published format, as a data package."""

import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from cv_pipelines.catalog import Catalog, Outcome
from cv_pipelines.hashing import VERSION_LENGTH, hash_rows, hash_values
from cv_pipelines.motion.analysis import parquet_bytes
from cv_pipelines.motion.intervals import facts_of
from cv_pipelines.motion.published.data_package import write_data_package
from cv_pipelines.motion.published.region_files import regions_json
from cv_pipelines.motion.regions import find_regions, frames_by_kind, seconds_by_kind
from cv_pipelines.motion.thresholds import Thresholds
from cv_pipelines.storage.bundles import Reference, put_bundle, put_part

KIND = "motion_regions"
REGIONS_VERSION = "2"
"""Of everything that decides which regions are found; a new one makes all of them stale."""


def make_regions(catalog: Catalog, motion: Reference, limits: Thresholds, force: bool = False) -> Outcome:
    """Tell what the camera does when.

    Args:
        catalog: where artefacts are.
        motion: of the kind `camera_motion`.
        limits: from which speeds on a camera moves.
        force: find them again though they are known.

    Returns:
        An artefact with the parts `regions` (REGIONS with MotionFacts), `published` and `package` (a zip), and the
        facts `regions`, `frames`, `static`, `static_share`, `frames_by_kind`, `seconds_by_kind`, `thresholds`.
    """

    def make(_: str) -> Reference:
        table = find_regions(catalog.open(motion).table("intervals"), limits)
        facts, kinds = facts_of(table), frames_by_kind(table)
        depends = {"opticalFlow": {"version": motion.version}}
        published = regions_json(table, {"cv-pipelines": REGIONS_VERSION}, depends)
        parts = {
            "regions": put_part(catalog.store, parquet_bytes(table), ".parquet"),
            "published": put_part(catalog.store, published, ".json"),
            "package": put_part(catalog.store, _package(table), ".zip"),
        }
        noted = {
            "regions": len(table),
            "frames": facts.frames,
            "static": pc.sum(pc.equal(table["kind"], "static")).as_py() or 0,
            "static_share": kinds.get("static", 0) / max(1, facts.frames),
            "frames_by_kind": kinds,
            "seconds_by_kind": seconds_by_kind(table),
            "thresholds": limits.model_dump(),
        }
        version = hash_values({"rows": hash_rows(table), "facts": facts.metadata()})[:VERSION_LENGTH]
        return put_bundle(catalog.store, KIND, version, noted, parts)

    return catalog.once(KIND, regions_inputs(motion, limits), make, settled=lambda _: not force)


def regions_inputs(motion: Reference, limits: Thresholds) -> dict[str, object]:
    """What decides the regions of a video; `Catalog.once` is asked with exactly this."""
    return {"motion": motion.version, "thresholds": limits.model_dump(), "code": REGIONS_VERSION}


def _package(table: pa.Table) -> bytes:
    with tempfile.TemporaryDirectory(prefix="cv-regions-") as folder:
        target = Path(folder) / "regions.zip"
        write_data_package([table], target)
        return target.read_bytes()
