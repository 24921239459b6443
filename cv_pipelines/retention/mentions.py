"""The versions of data sets that name an image."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow.compute as pc
from sqlalchemy import Row, and_, exists, select

from cv_pipelines.catalog import Catalog
from cv_pipelines.database.partition_owners import of_present_partition
from cv_pipelines.database.tables import datasets, publications
from cv_pipelines.images.versions import MANIFEST
from cv_pipelines.progress import Progress, silent
from cv_pipelines.storage.bundles import Bundle, Reference
from cv_pipelines.storage.parquet import read_parquet


@dataclass(frozen=True)
class Mention:
    """A version of a data set that names an image.

    Attributes:
        dataset: its name.
        version: of its images.
        current: whether the data set stands there now.
        quarantined: whether the image is not used in it.
        paths: of its files, as far as the version knows them.
        alike: ids of images that show the same.
        runs: ids of the runs that made or found the version, and show pictures of it.
    """

    dataset: str
    version: str
    current: bool
    quarantined: bool
    paths: list[str]
    alike: list[str]
    runs: list[str]


def find_mentions(catalog: Catalog, digits: str, progress: Progress = silent) -> dict[str, list[Mention]]:
    """Look through all versions of all data sets, removed ones included.

    Args:
        catalog: where artefacts are.
        digits: the first ones of an id, or all.
        progress: is told of versions.

    Returns:
        By image, in the order in which the versions came.
    """
    rows = _published(catalog)
    current = {row.dataset: row.version for row in rows if row.present}
    versions: defaultdict[tuple[str, str], list[Row[Any]]] = defaultdict(list)
    for row in rows:
        versions[row.dataset, row.version].append(row)
    found: defaultdict[str, list[Mention]] = defaultdict(list)
    for done, ((dataset, version), published) in enumerate(versions.items(), start=1):
        manifest = catalog.open(Reference(MANIFEST, version, published[-1].key))
        used, refused = _used(manifest, digits), _refused(manifest, digits)
        for image_id in used | refused:
            paths = [*used.get(image_id, []), *refused.get(image_id, [])]
            runs = [row.run_id for row in published if row.run_id]
            is_current, alike = current.get(dataset) == version, _alike(manifest, image_id)
            found[image_id].append(Mention(dataset, version, is_current, image_id not in used, paths, alike, runs))
        progress("reading versions", done, len(versions))
    return found


def _published(catalog: Catalog) -> Sequence[Row[Any]]:
    present = and_(exists().where(datasets.c.name == publications.c.dataset), of_present_partition(publications))
    query = select(publications, present.label("present")).where(publications.c.asset == MANIFEST)
    with catalog.database.connect() as connection:
        return connection.execute(query.order_by(publications.c.id)).all()


def _used(manifest: Bundle, digits: str) -> dict[str, list[str]]:
    """Paths of the files of each image in use."""
    rows = _rows(manifest, "images", ["image_id", "sources"], pc.starts_with(pc.field("image_id"), digits))
    return {row["image_id"]: row["sources"] for row in rows}


def _refused(manifest: Bundle, digits: str) -> dict[str, list[str]]:
    """Paths of the files in quarantine of each image that was read, whether it is in use or not."""
    if "files" not in manifest.parts:  # at first there were none, and no id in quarantine
        return {}
    named = pc.starts_with(pc.field("image_id"), digits)
    found: dict[str, list[str]] = {row["image_id"]: [] for row in _rows(manifest, "files", ["image_id"], named)}
    for row in _rows(manifest, "quarantine", ["image_id", "path"], named):
        found[row["image_id"]].append(row["path"])
    return found


def _alike(manifest: Bundle, image_id: str) -> list[str]:
    names = ("image_id", "other_id")
    either = (pc.field(names[0]) == image_id) | (pc.field(names[1]) == image_id)
    rows = _rows(manifest, "near_duplicates", [*names], either)
    return [row[name] for row in rows for name in names if row[name] != image_id]


def _rows(manifest: Bundle, part: str, columns: list[str], wanted: pc.Expression) -> list[dict[str, Any]]:
    """Some rows of a part."""
    with manifest.store.open(manifest.parts[part]) as file:
        rows: list[dict[str, Any]] = read_parquet(file, columns).filter(wanted).to_pylist()
    return rows
