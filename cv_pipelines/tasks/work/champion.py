"""The champion of a data set, ready to answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cv_pipelines.catalog import Catalog
from cv_pipelines.errors import ResourceError
from cv_pipelines.images.datasets import find_dataset
from cv_pipelines.images.decode import Pixels
from cv_pipelines.models.inference import BATCH, Probabilities, open_model, predict_pixels

if TYPE_CHECKING:
    import keras


@dataclass
class Champion:
    """A model, and what is known of it.

    Attributes:
        version: of the model.
        classes: in the order of its answers.
        size: side of the images that it takes, in pixels.
        network: images to probabilities.
        batch: images that it is given at once; halved where memory does not suffice.
    """

    version: str
    classes: tuple[str, ...]
    size: int
    network: "keras.Model"
    batch: int = BATCH

    def predict(self, images: Sequence[Pixels]) -> Probabilities:
        """Predict at least one image (size, size, 3).

        Returns:
            Probabilities (n, classes).

        Raises:
            ResourceError: memory does not suffice for a single image.
        """
        found: list[Probabilities] = []
        done = 0
        while done < len(images):
            some = np.stack(images[done : done + self.batch])
            try:
                found.append(predict_pixels(self.network, some, self.batch))
                done += len(some)
            except Exception as error:
                if not _lacks_memory(error):
                    raise
                self._take_fewer(error)
        return np.concatenate(found)

    def _take_fewer(self, error: Exception) -> None:
        if self.batch == 1:
            message = "There is not enough memory to predict a single image."
            raise ResourceError("out_of_memory", message, repr(error)) from error
        self.batch //= 2


def _lacks_memory(error: Exception) -> bool:
    from cv_pipelines.models.accelerator import is_out_of_memory  # imports keras

    return is_out_of_memory(error)


def load_champion(catalog: Catalog, dataset: str) -> Champion:
    """Load the model that stands for a data set.

    Raises:
        InputError: there is no such data set, or it has no champion yet.
    """
    find_dataset(catalog.database, dataset)
    reference = catalog.require("champion_model", dataset)
    bundle = catalog.open(reference)
    card = bundle.facts
    return Champion(reference.version, tuple(card["classes"]), card["image_size"], open_model(bundle))
