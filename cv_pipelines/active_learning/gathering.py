"""From the catalog to the pool of a data set: who is unlabelled, and what is known of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cv_pipelines.active_learning.pool import Pool, Predictions, draw_lots
from cv_pipelines.annotations.store.classes import classes_of
from cv_pipelines.annotations.store.content import classes_in
from cv_pipelines.annotations.store.standing import standing
from cv_pipelines.catalog import Catalog
from cv_pipelines.detections.detection import read_detections
from cv_pipelines.detections.importing import ASSET as DETECTIONS
from cv_pipelines.models.similarity import open_embeddings
from cv_pipelines.storage.bundles import Reference


@dataclass(frozen=True)
class Sources:
    """What a queue is made of, besides images and labels; None where there is none that fits the images.

    Attributes:
        predictions: of a champion.
        embeddings: likewise.
        detections: of any program, the newest ones imported.
    """

    predictions: Reference | None = None
    embeddings: Reference | None = None
    detections: Reference | None = None

    def keys(self) -> dict[str, str | None]:
        """The key of each."""
        return {name: one.key if one else None for name, one in vars(self).items()}

    def has(self, strategy: str) -> bool:
        """Say whether a strategy has the predictions or embeddings that it needs."""
        needed = {"random": True, "diverse": self.embeddings, "detections_number_based": True}
        return needed.get(strategy, self.predictions) is not None


def find_sources(catalog: Catalog, dataset: str, manifest: Reference) -> Sources:
    """What a champion has said of just these images, and what was detected on them."""
    found = {name: catalog.current(name, dataset) for name in ("predictions", "image_embeddings")}
    fitting = {
        name: one if one is not None and catalog.open(one).facts["data"] == manifest.version else None
        for name, one in found.items()
    }
    return Sources(fitting["predictions"], fitting["image_embeddings"], catalog.current(DETECTIONS, dataset))


def labelled_images(catalog: Catalog, dataset: str, event: int, class_event: int) -> pa.Array:
    """Ids of the images of which a person or a file had said something, but of retired classes, at an event."""
    with catalog.database.connect() as connection:
        classes = classes_of(connection, dataset, class_event)
    alive = {one.number for one in classes if one.state != "retired"}

    @lru_cache(maxsize=10_000)
    def counts(content: str) -> bool:
        whole, boxed = classes_in(content)
        numbers = {*whole, *boxed}
        return not numbers or bool(numbers & alive)

    found = [pa.array([], pa.string())]
    for some in standing(catalog.database, dataset, event):
        of_people = some.filter(pc.not_equal(some["origin"], "model"))
        kept = pa.array([counts(one) for one in of_people["content"].to_pylist()], pa.bool_())
        found += of_people["image_id"].filter(kept).chunks
    return pa.concat_arrays(found)


def gather_pool(
    catalog: Catalog, manifest: Reference, labelled: pa.Array, sources: Sources, parameters: Mapping[str, Any]
) -> Pool:
    """All images of a manifest that are not labelled, with what the sources say of them.

    Args:
        catalog: where artefacts are.
        manifest: the images.
        labelled: ids of those that nobody has to be asked for.
        sources: which fit the manifest.
        parameters: `seed` and `score` of QueueParameters.
    """
    ids = catalog.open(manifest).table("images", ["image_id"])["image_id"].combine_chunks()
    without = pc.invert(pc.is_in(ids, labelled)).to_numpy(zero_copy_only=False)
    image_ids: list[str] = ids.filter(pa.array(without)).to_pylist()
    vectors, known = None, np.empty((0, 0), np.float32)
    if sources.embeddings is not None:
        embeddings = open_embeddings(catalog, sources.embeddings)
        vectors, known = embeddings.vectors[without], embeddings.vectors[~without]
    return Pool(
        image_ids,
        draw_lots(image_ids, parameters["seed"]),
        _predictions(catalog, sources.predictions, without),
        vectors,
        known,
        _counted(catalog, sources.detections, image_ids, parameters["score"]),
    )


def _predictions(catalog: Catalog, reference: Reference | None, rows: NDArray[np.bool_]) -> Predictions | None:
    if reference is None:
        return None
    table = catalog.open(reference).table("predictions")

    def numbers(name: str) -> NDArray[np.float32]:
        return np.asarray(table[name].to_numpy()[rows], np.float32)

    classes = np.array(table["predicted"].to_pylist(), np.object_)[rows]
    second = numbers("second_probability") if "second_probability" in table.column_names else None
    return Predictions(classes, numbers("probability"), second, numbers("entropy"))


def _counted(
    catalog: Catalog, reference: Reference | None, image_ids: list[str], score: float
) -> NDArray[np.int64] | None:
    """Detections of each image with at least a score."""
    if reference is None:
        return None
    ids, counts = pa.array(image_ids, pa.string()), np.zeros(len(image_ids), np.int64)
    for batch in read_detections(catalog.open(reference)):
        sure = batch.filter(pc.greater_equal(batch["score"], score))
        rows = pc.drop_null(pc.index_in(sure["image_id"], ids)).to_numpy()
        counts += np.bincount(rows, minlength=len(counts))
    return counts
