"""Detections from a file into the catalog: whole, or not at all."""

import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from cv_pipelines.annotations.report import Report
from cv_pipelines.annotations.store.classes import present_names
from cv_pipelines.catalog import Catalog
from cv_pipelines.detections import coco_results, voc_text
from cv_pipelines.detections.detection import DETECTIONS, PART, Detection
from cv_pipelines.detections.ground_truth import read_ground_truth
from cv_pipelines.detections.names import Names
from cv_pipelines.errors import InputError
from cv_pipelines.hashing import VERSION_LENGTH, hash_rows, hash_values
from cv_pipelines.images.datasets import find_dataset
from cv_pipelines.progress import Progress, silent
from cv_pipelines.storage.bundles import Reference, put_bundle, put_file

ASSET = "detections"
"""What the catalog calls them; no step makes them."""
_ROWS = 1 << 16


class Read(Protocol):
    """Reads detections one at a time."""

    def __call__(self, source: Path, names: Names, report: Report, progress: Progress) -> Iterator[Detection]:
        """Yield detections; what is wrong with single ones goes into the report.

        Raises:
            InputError: the source as a whole cannot be read.
        """


FORMATS: dict[str, Read] = {"coco-results": coco_results.read, "voc-text": voc_text.read}


@dataclass
class Imported:
    """What an import came to.

    Attributes:
        report: what was wrong; `images` of the data set have `boxes` detections.
        classes: detections of each.
        reference: of what is stored; None: nothing is.
        unchanged: the data set had just these detections before.
    """

    report: Report = field(default_factory=Report)
    classes: Counter[str] = field(default_factory=Counter)
    reference: Reference | None = None
    unchanged: bool = False


def import_detections(
    catalog: Catalog,
    dataset: str,
    source: Path,
    format_name: str | None = None,
    truth: Path | None = None,
    name: str = "",
    skip_bad: bool = False,
    progress: Progress = silent,
) -> Imported:
    """Read detections and make them the current ones of a data set.

    Args:
        catalog: where artefacts are.
        dataset: has been ingested.
        source: a file, or a folder of text files.
        format_name: one of FORMATS; None: what it looks like.
        truth: a file of COCO instances that says what numbers stand for.
        name: of the detections, for people; else that of the source.
        skip_bad: leave out what is wrong; else a single mistake is enough to store nothing.
        progress: is told of detections.

    Raises:
        InputError: there is no such data set, or the source cannot be read at all.
    """
    find_dataset(catalog.database, dataset)
    for path in (source, truth):
        if path is not None and not path.exists():
            raise InputError("no_file", f"There is no '{path}'.")
    chosen = format_name or ("voc-text" if source.is_dir() or source.suffix == ".txt" else "coco-results")
    done = Imported()
    names = _names(catalog, dataset, truth, done.report, progress)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "detections.parquet"
        version = _write(FORMATS[chosen](source, names, done.report, progress), file, done)
        if done.report.counts and not (skip_bad and done.report.boxes):
            return done
        facts = {
            "name": name or source.stem,
            "format": chosen,
            "detections": done.report.boxes,
            "images": done.report.images,
            "classes": dict(sorted(done.classes.items())),
            "left_out": dict(done.report.counts),
        }
        parts = {PART: put_file(catalog.store, file)}
    done.reference = put_bundle(catalog.store, ASSET, version, facts, parts)
    done.unchanged = done.reference == catalog.current(ASSET, dataset)
    if not done.unchanged:
        catalog.publish(ASSET, dataset, done.reference)
    return done


def require_detections(catalog: Catalog, dataset: str) -> Reference:
    """The newest detections of a data set.

    Raises:
        InputError: `no_detections`.
    """
    reference = catalog.current(ASSET, dataset)
    if reference is None:
        command = f"cv-pipelines detections import {dataset} FILE"
        message = f"'{dataset}' has no detections yet: '{command}' takes some in."
        raise InputError("no_detections", message)
    return reference


def _names(catalog: Catalog, dataset: str, truth: Path | None, report: Report, progress: Progress) -> Names:
    images = catalog.open(catalog.require("image_manifest", dataset)).table("images", ["image_id", "sources"])
    with catalog.database.connect() as connection:
        classes = present_names(connection, dataset)
    numbers = read_ground_truth(truth, report, progress) if truth else None
    rows = zip(images["image_id"].to_pylist(), images["sources"].to_pylist(), strict=True)
    return Names(rows, classes, numbers)


def _write(detections: Iterable[Detection], file: Path, done: Imported) -> str:
    """Write a table, some thousand rows at a time; returns the version, a hash of the rows."""
    hashes, images, rows = [], set[str](), iter(detections)
    with pq.ParquetWriter(file, DETECTIONS, compression="zstd") as writer:
        while some := list(islice(rows, _ROWS)):
            columns: list[Any] = list(zip(*some, strict=True))
            table = pa.table(columns, schema=DETECTIONS)
            writer.write_table(table)
            hashes.append(hash_rows(table))
            images.update(columns[0])
            done.classes.update(columns[1])
            done.report.boxes += len(some)
    done.report.images = len(images)
    return hash_values({"rows": hashes})[:VERSION_LENGTH]
