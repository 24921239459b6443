"""The versions of a data set's images: shown, compared, gone back to."""

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Engine

from cv_pipelines.catalog import Catalog
from cv_pipelines.database.tables import datasets
from cv_pipelines.images.datasets import Dataset
from cv_pipelines.images.decisions import wishes_of
from cv_pipelines.images.omission import without_images
from cv_pipelines.storage.bundles import Reference
from cv_pipelines.versions import Version, version_like, versions_of

MANIFEST = "image_manifest"
_RELABELLED = ["image_id", "sources", "before", "after"]


@dataclass(frozen=True)
class Difference:
    """What changes from one version to another.

    Attributes:
        added: images, with columns `image_id`, `sources`, `source_label`.
        removed: the same of images that are gone.
        relabelled: `image_id`, `sources`, `before`, `after`.
        quarantined: files newly in quarantine, as QUARANTINE.
        released: files in quarantine no more, as QUARANTINE.
    """

    added: pa.Table
    removed: pa.Table
    relabelled: pa.Table
    quarantined: pa.Table
    released: pa.Table


def list_versions(catalog: Catalog, dataset: str) -> list[Version]:
    """All versions of a data set's images, the one that came last first."""
    return versions_of(catalog, MANIFEST, dataset)


def find_version(catalog: Catalog, dataset: str, prefix: str) -> Version:
    """A version by its name or the beginning of it.

    Raises:
        InputError: none or several begin like this.
    """
    return version_like(catalog, MANIFEST, dataset, prefix, "cv-pipelines dataset versions")


def diff_versions(catalog: Catalog, before: Reference, after: Reference) -> Difference:
    """Compare two versions image by image and file by file."""
    columns = ["image_id", "sources", "source_label"]
    old, new = (catalog.open(one).table("images", columns) for one in (before, after))
    refused = [catalog.open(one).table("quarantine") for one in (before, after)]
    return Difference(
        added=_only_in(new, old, "image_id"),
        removed=_only_in(old, new, "image_id"),
        relabelled=_relabelled(old, new),
        quarantined=_only_in(refused[1], refused[0], "path"),
        released=_only_in(refused[0], refused[1], "path"),
    )


def kept_version(catalog: Catalog, dataset: Dataset) -> Reference | None:
    """The version that a person has gone back to, None where the data set follows its source."""
    if dataset.restored is None:
        return None
    return find_version(catalog, dataset.name, dataset.restored).reference


def restore_version(catalog: Catalog, dataset: str, version: Version) -> Reference:
    """Make a version the one that stands, until the data set is synced again.

    Returns:
        What stands now: the version, or one without the images that were forgotten since.
    """
    forgotten = wishes_of(catalog.database, dataset).forgotten
    restored = without_images(catalog, version.reference, forgotten)
    catalog.publish(MANIFEST, dataset, restored)  # first: what is kept has to be found among the versions
    keep_version(catalog.database, dataset, restored.version)
    return restored


def keep_version(database: Engine, dataset: str, version: str | None) -> None:
    """Have ingest leave a data set at a version; None: follow the source again."""
    with database.begin() as connection:
        connection.execute(datasets.update().where(datasets.c.name == dataset).values(restored=version))


def _only_in(table: pa.Table, other: pa.Table, column: str) -> pa.Table:
    return table.filter(pc.invert(pc.is_in(table[column], other[column].combine_chunks())))


def _relabelled(old: pa.Table, new: pa.Table) -> pa.Table:
    place = pc.index_in(new["image_id"], old["image_id"].combine_chunks())
    both = new.filter(pc.is_valid(place))
    before = old["source_label"].take(place.drop_null())
    same = pc.equal(pc.fill_null(before, ""), pc.fill_null(both["source_label"], ""))
    pairs = pa.table([both["image_id"], both["sources"], before, both["source_label"]], _RELABELLED)
    return pairs.filter(pc.invert(same))
