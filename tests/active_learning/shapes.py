"""A data set of made artefacts: 40 images, three classes, predictions and embeddings of known order."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from cv_pipelines.annotations.annotation import NONE
from cv_pipelines.annotations.store.classes import ensure_classes
from cv_pipelines.annotations.store.events import Author, Change, append, writing
from cv_pipelines.catalog import Catalog
from cv_pipelines.images.datasets import add_dataset
from cv_pipelines.images.manifest import NEAR_DUPLICATES
from cv_pipelines.models.embedding import embeddings_schema, normalised
from cv_pipelines.storage.bundles import Reference, put_bundle, put_table

CLASSES = ("bar", "disc", "frame")
COUNT, WIDTH = 40, 8


@dataclass
class Shapes:
    """The data set `shapes`."""

    catalog: Catalog
    manifest: Reference
    ids: list[str]

    def publish(self, asset: str, version: str, facts: Mapping[str, object], **tables: pa.Table) -> Reference:
        parts = {name: put_table(self.catalog.store, table) for name, table in tables.items()}
        made = put_bundle(self.catalog.store, asset, version, facts, parts)
        self.catalog.publish(asset, "shapes", made)
        return made

    def predict(self, manifest: str = "", **changed: object) -> pa.Table:
        """Publish predictions: image i of class i % 3, surer the later it comes."""
        best = np.linspace(0.4, 0.98, COUNT).astype(np.float32)
        columns = {
            "image_id": self.ids,
            "predicted": [CLASSES[number % 3] for number in range(COUNT)],
            "probability": best,
            "second_probability": ((1 - best) * 0.6).astype(np.float32),
            "entropy": (1.1 - best).astype(np.float32),
        }
        table = pa.table({name: value for name, value in {**columns, **changed}.items() if value is not None})
        facts = {"model": "model-1", "data": manifest or self.manifest.version}
        self.publish("predictions", "model-1-x", facts, predictions=table)
        return table

    def embed(self, vectors: np.ndarray | None = None) -> np.ndarray:
        """Publish embeddings: random directions, if no others."""
        made = vectors if vectors is not None else np.random.default_rng(0).standard_normal((COUNT, WIDTH))
        made = normalised(made.astype(np.float32)).astype(np.float16)
        column = pa.FixedSizeListArray.from_arrays(pa.array(made.reshape(-1)), made.shape[1])
        table = pa.table([self.ids, column], schema=embeddings_schema(made.shape[1]))
        facts = {"model": "model-1", "data": self.manifest.version}
        self.publish("image_embeddings", "model-1-x", facts, embeddings=table)
        return made

    def label(self, *rows: int, number: int | None = 0, author: Author | None = None) -> None:
        """Say that images are of a class; None takes their labels away."""
        content = None if number is None else f'{{"classes":[{number}]}}'
        with writing(self.catalog.database, "shapes") as connection:
            ensure_classes(connection, "shapes", [(name, "", NONE) for name in CLASSES], "ann")
            changes = [Change(self.ids[row], content) for row in rows]
            append(connection, "shapes", changes, author or Author("ann"))

    def with_images(self, *rows: int) -> Reference:
        """Publish a later manifest, which has only these images."""
        images = self.catalog.open(self.manifest).table("images").take(list(rows))
        parts = {"images": put_table(self.catalog.store, images)}
        made = put_bundle(self.catalog.store, "image_manifest", f"manifest-of-{len(rows)}", {}, parts)
        self.catalog.publish("image_manifest", "shapes", made)
        return made

    def with_source_labels(self) -> Reference:
        """A later manifest whose source says what the first ten images show."""
        images = self.catalog.open(self.manifest).table("images").drop_columns(["source_label"])
        said = pa.array([*["bar"] * 10, *[None] * (COUNT - 10)], pa.string())
        parts = {"images": put_table(self.catalog.store, images.append_column("source_label", said))}
        return put_bundle(self.catalog.store, "image_manifest", "manifest-2", {}, parts)


def make_shapes(catalog: Catalog) -> Shapes:
    """The data set in a catalog: ingested, and nothing else."""
    add_dataset(catalog.database, "shapes", "/nowhere")
    ids = [f"{number:02}" for number in range(COUNT)]
    images = pa.table(
        {
            "image_id": ids,
            "sources": [[f"{one}.png"] for one in ids],
            "source_label": pa.array([None] * COUNT, pa.string()),
            "source_split": pa.array([None] * COUNT, pa.string()),
        }
    )
    tables = {"images": images, "near_duplicates": NEAR_DUPLICATES.empty_table()}
    parts = {name: put_table(catalog.store, table) for name, table in tables.items()}
    made = put_bundle(catalog.store, "image_manifest", "manifest-1", {}, parts)
    catalog.publish("image_manifest", "shapes", made)
    return Shapes(catalog, made, ids)
