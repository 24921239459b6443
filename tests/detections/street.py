"""A small data set in a catalog: three images, and what is labelled on them."""

from collections.abc import Mapping, Sequence

import pyarrow as pa

from cv_pipelines.annotations.annotation import NONE, Annotation, Box
from cv_pipelines.annotations.labels import make_labels
from cv_pipelines.annotations.store.classes import ensure_classes
from cv_pipelines.annotations.store.content import content_of
from cv_pipelines.annotations.store.events import Author, Change, append, writing
from cv_pipelines.catalog import Catalog
from cv_pipelines.images.datasets import add_dataset
from cv_pipelines.images.manifest import IMAGES
from cv_pipelines.storage.bundles import put_bundle, put_table

STREET = "street"
PATHS = {"i1": ["north/0001.jpg"], "i2": ["south/0001.jpg"], "i3": ["south/0002.jpg", "copies/0002.jpg"]}
BOXES = {
    "i1": [Box("car", 10, 20, 100, 50), Box("traffic_light", 300, 20, 20, 50)],
    "i3": [Box("car", 0, 0, 200, 100, (), {"difficult": 1}), Box("car", 300, 200, 100, 50)],
}


def make_street(catalog: Catalog) -> None:
    """Name the data set and publish its images, as an ingest does."""
    add_dataset(catalog.database, STREET, "/photos")
    rows = [{"image_id": one, "sources": paths, "width": 640, "height": 480} for one, paths in PATHS.items()]
    images = put_table(catalog.store, pa.Table.from_pylist(rows, IMAGES))
    manifest = put_bundle(catalog.store, "image_manifest", "m1", {}, {"images": images})
    catalog.publish("image_manifest", STREET, manifest)


def label_street(catalog: Catalog, boxes: Mapping[str, Sequence[Box]] = BOXES) -> None:
    """Label images as a person does, and publish the labels."""
    names = ["car", "traffic_light"]
    with writing(catalog.database, STREET) as connection:
        numbers = ensure_classes(connection, STREET, [(name, "", NONE) for name in names], "ann")
        annotations = {image: Annotation(image, boxes=tuple(some)) for image, some in boxes.items()}
        changes = [Change(image, content_of(one, numbers.__getitem__)) for image, one in annotations.items()]
        append(connection, STREET, changes, Author("ann"))
    made = make_labels(catalog, STREET, catalog.require("image_manifest", STREET))
    catalog.publish("labels", STREET, made.reference)
