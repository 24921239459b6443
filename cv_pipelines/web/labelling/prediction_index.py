"""What the champion has published of the images of a manifest, as arrays."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from cv_pipelines.annotations.store.classes import StoredClass
from cv_pipelines.catalog import Catalog
from cv_pipelines.storage.bundles import Bundle, Reference
from cv_pipelines.web.image_index import ImageIndex, Rows
from cv_pipelines.web.kept import Kept
from cv_pipelines.web.labelling.queues import Mask, least_sure_first

ASSET = "predictions"
_COLUMNS = ["image_id", "predicted", "probability", "entropy"]
_NONE = -1


@dataclass(frozen=True)
class PredictionIndex:
    """The answers of a model, by rows of images; a data set may have got images since then.

    Attributes:
        model: its version.
        names: of classes.
        predicted: the likeliest class of each image, as a number of `names`; -1 where it was not asked.
        probability: of it; NaN likewise.
        entropy: of all classes' probabilities, in nats; NaN likewise.
    """

    model: str
    names: list[str]
    predicted: NDArray[np.int32]
    probability: NDArray[np.float32]
    entropy: NDArray[np.float32]

    @cached_property
    def least_sure_first(self) -> Rows:
        """All rows, those that the model is least sure of first, those that it was not asked last."""
        return least_sure_first(self.entropy)

    def suggested(self, row: int, classes: Mapping[str, StoredClass]) -> tuple[StoredClass, float] | None:
        """The class that the model sees in an image, and how probably; None where there is no such class."""
        predicted = int(self.predicted[row])
        found = classes.get(self.names[predicted]) if predicted >= 0 else None
        return (found, float(self.probability[row])) if found else None

    def numbers(self, classes: Mapping[str, StoredClass]) -> NDArray[np.int32]:
        """Numbers of the classes that the model sees in each image, -1 where there is no such class."""
        numbers = [classes[name].number if name in classes else _NONE for name in self.names]
        return np.array([*numbers, _NONE], np.int32)[self.predicted]

    def at_least(self, probability: float, classes: Mapping[str, StoredClass]) -> Mask:
        """Of which images a class is as probable as that; a probability that is given as it was shown counts."""
        sure: Mask = self.probability >= np.float32(probability)
        return sure & (self.numbers(classes) >= 0)


def read_predictions(bundle: Bundle, images: ImageIndex) -> PredictionIndex:
    """The index of a `predictions` artefact."""
    table = bundle.table("predictions", _COLUMNS).combine_chunks()
    rows = images.rows_of(table["image_id"].to_pylist())
    there = rows >= 0
    encoded = pc.dictionary_encode(table["predicted"]).combine_chunks()
    predicted = np.full(len(images), _NONE, np.int32)
    probability, entropy = (np.full(len(images), np.nan, np.float32) for _ in range(2))
    predicted[rows[there]] = np.asarray(encoded.indices)[there]
    probability[rows[there]] = np.asarray(table["probability"])[there]
    entropy[rows[there]] = np.asarray(table["entropy"])[there]
    return PredictionIndex(bundle.facts["model"], encoded.dictionary.to_pylist(), predicted, probability, entropy)


@dataclass(frozen=True)
class PredictionIndexes:
    """The indexes used last."""

    catalog: Catalog
    _held: Kept[tuple[str, str], PredictionIndex] = field(default_factory=Kept)

    def current(self, dataset: str, manifest: Reference, images: ImageIndex) -> PredictionIndex | None:
        """What is published of a data set now; None: nothing yet."""
        reference = self.catalog.current(ASSET, dataset)
        if reference is None:
            return None
        key = (manifest.key, reference.key)
        return self._held.of(key, lambda: read_predictions(self.catalog.open(reference), images))
