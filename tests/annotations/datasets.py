"""Data sets of which there is only the image manifest, and what stands of their labels."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import pyarrow as pa

from cv_pipelines.annotations.annotation import Annotation
from cv_pipelines.annotations.store.classes import classes_of
from cv_pipelines.annotations.store.content import annotation_of
from cv_pipelines.annotations.store.standing import standing
from cv_pipelines.annotations.store.versions import last_event
from cv_pipelines.catalog import Catalog
from cv_pipelines.images.datasets import Dataset, add_dataset
from cv_pipelines.images.manifest import IMAGES
from cv_pipelines.storage.bundles import put_bundle, put_table


def id_of(name: str) -> str:
    return sha256(name.encode()).hexdigest()


def make_dataset(
    catalog: Catalog,
    images: Mapping[str, tuple[int, int]],
    name: str = "street",
    classes: tuple[str, ...] = (),
    duplicates: Mapping[str, str] | None = None,
) -> Dataset:
    """A data set with a manifest of images of these sizes, and no bytes; duplicates name the image they are."""
    rows: list[dict[str, Any]] = []
    for image, (width, height) in images.items():
        others = [other for other, original in (duplicates or {}).items() if original == image]
        rows.append({"image_id": id_of(image), "sources": [image, *others], "width": width, "height": height})
    rows = [{field.name: row.get(field.name) for field in IMAGES} for row in sorted(rows, key=str)]
    rows.sort(key=lambda row: str(row["image_id"]))
    parts = {"images": put_table(catalog.store, pa.Table.from_pylist(rows, IMAGES))}
    version = sha256(repr(rows).encode()).hexdigest()[:16]
    dataset = add_dataset(catalog.database, name, "/nowhere", classes)
    catalog.publish("image_manifest", name, put_bundle(catalog.store, "image_manifest", version, {}, parts))
    return dataset


def labels_of(catalog: Catalog, dataset: str = "street") -> dict[str, Annotation]:
    """What stands, by image id; names of retired classes too."""
    with catalog.database.connect() as connection:
        names = {one.number: one.name for one in classes_of(connection, dataset)}
        event = last_event(connection, dataset)
    rows = [row for some in standing(catalog.database, dataset, event) for row in some.to_pylist()]
    return {row["image_id"]: annotation_of(row["content"], names, row["image_id"]) for row in rows}
