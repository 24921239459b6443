"""Labels of a data set as a file or folder of a format."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from cv_pipelines.annotations.annotation import Annotation
from cv_pipelines.annotations.convert import whole
from cv_pipelines.annotations.dataset_images import DatasetImages
from cv_pipelines.annotations.exchange import Exchange, passed
from cv_pipelines.annotations.formats.format import Format
from cv_pipelines.annotations.labels import state_in
from cv_pipelines.annotations.spool import Spool
from cv_pipelines.annotations.store.classes import StoredClass, classes_of
from cv_pipelines.annotations.store.content import annotation_of, classes_in
from cv_pipelines.annotations.store.standing import standing
from cv_pipelines.annotations.store.versions import last_event
from cv_pipelines.catalog import Catalog
from cv_pipelines.errors import InputError
from cv_pipelines.progress import Progress, silent
from cv_pipelines.storage.bundles import Bundle, Reference
from cv_pipelines.storage.parquet import read_batches
from cv_pipelines.versions import version_like

LIST = "cv-pipelines labels versions"
_EVERY = 1_000_000


@dataclass
class Labelled:
    """Labels of a data set, and the images that they are about.

    Attributes:
        spool: what is said of each image.
        classes: that it names, by number.
        manifest: of the images.
    """

    spool: Spool
    classes: list[StoredClass]
    manifest: Bundle


def export_labels(
    catalog: Catalog,
    dataset: str,
    target: Path,
    write_as: Format,
    version: str = "",
    lenient: bool = False,
    progress: Progress = silent,
) -> tuple[Exchange, bool]:
    """Write labels: those that stand now, or a version of them; images in the order of their names.

    Args:
        catalog: where the manifest and the labels are.
        dataset: the data set.
        target: what is to be made; there must be nothing yet.
        write_as: its format.
        version: the beginning of a version's name; empty: now.
        lenient: leave out what cannot be written; else a single problem is enough to write nothing.
        progress: told of images.

    Returns:
        What was written and what could not be, and whether the target has been made.

    Raises:
        InputError: there is no such version, no manifest yet, or the target is there.
    """
    with whole(target, write_as.folder) as draft:
        found = _version(catalog, dataset, version) if version else _now(catalog, dataset)
        images = DatasetImages(found.manifest)
        exchange = Exchange(images, progress=progress)
        for one in found.classes:
            exchange.classes.declare(one.name, one.colour, one.attributes)
        write_as.write(passed(_annotations(found, images, exchange), exchange), draft.path, exchange)
        draft.keep = lenient or not exchange.report.counts
    return exchange, draft.keep


def _now(catalog: Catalog, dataset: str) -> Labelled:
    manifest = catalog.open(catalog.require("image_manifest", dataset))
    with catalog.database.connect() as connection:
        event, classes = last_event(connection, dataset), classes_of(connection, dataset)
    return Labelled(_spooled(standing(catalog.database, dataset, event)), _counting(classes), manifest)


def _version(catalog: Catalog, dataset: str, prefix: str) -> Labelled:
    found = version_like(catalog, "labels", dataset, prefix, LIST)
    labels, state = catalog.open(found.reference), state_in(found.facts)
    if state is None:
        message = f"The version {found.version} is from before labels were kept whole: it cannot be exported."
        raise InputError("old_version", message)
    with catalog.database.connect() as connection:
        classes = classes_of(connection, dataset, state.class_event)
    manifest = _manifest(catalog, dataset, found.facts["manifest"])
    with labels.open("annotations") as file:
        spool = _spooled(read_batches(file, ["image_id", "content"]))
    return Labelled(spool, _counting(classes), catalog.open(manifest))


def _manifest(catalog: Catalog, dataset: str, version: str) -> Reference:
    """The manifest of a version; the present one where it is gone."""
    published = catalog.history("image_manifest", dataset, limit=_EVERY)
    found = next((one.reference for one in published if one.reference.version == version), None)
    return found if found and catalog.store.exists(found.key) else catalog.require("image_manifest", dataset)


def _counting(classes: Iterable[StoredClass]) -> list[StoredClass]:
    return [one for one in classes if one.state != "retired"]


def _spooled(tables: Iterable[pa.Table | pa.RecordBatch]) -> Spool:
    spool = Spool()
    for some in tables:
        for image_id, content in zip(some["image_id"].to_pylist(), some["content"].to_pylist(), strict=True):
            spool.put(image_id, content)
    return spool


def _annotations(found: Labelled, images: DatasetImages, exchange: Exchange) -> Iterator[Annotation]:
    """All labels that count, in the order of the images' names."""
    names = {one.number: one.name for one in found.classes}
    absent = len(found.spool)
    for image_id, image, size in images.in_order():
        content = found.spool.get(image_id)
        if content is None:
            continue
        absent -= 1
        one = annotation_of(content, names, image, *size)
        if one.boxes or one.classes or not any(classes_in(content)):  # else all of its classes are retired
            yield one
    if absent:
        exchange.report.loss("labels of images that the data set does not have any more", "–", absent)
