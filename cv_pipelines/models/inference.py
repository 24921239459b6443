"""A model and stored images: images in, probabilities out, batch by batch."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cv_pipelines.images.decode import Pixels
from cv_pipelines.images.loading import pixel_batches
from cv_pipelines.images.stored import StoredImages
from cv_pipelines.models.keras_files import load_model
from cv_pipelines.storage.bundles import Bundle

if TYPE_CHECKING:
    import keras

Probabilities = NDArray[np.float32]
BATCH = 64


def open_model(bundle: Bundle) -> "keras.Model":
    """Load the model of a `trained_model` artefact."""
    return load_model(bundle.bytes("model"))


def predict_images(
    model: "keras.Model", images: StoredImages, image_ids: Sequence[str], size: int
) -> Iterator[Probabilities]:
    """Predict images in their order; decoding runs ahead on other threads.

    Yields:
        Probabilities (at most BATCH, classes).
    """
    for pixels in pixel_batches(images, image_ids, size, BATCH):
        yield predict_pixels(model, pixels)


def predict_pixels(model: "keras.Model", pixels: Pixels, batch: int = BATCH) -> Probabilities:
    """Predict one batch (n, size, size, 3), n at most `batch`.

    A short batch is filled up: another shape would have the graph built once more.
    """
    count = len(pixels)
    if count < batch:
        pixels = np.concatenate([pixels, np.zeros((batch - count, *pixels.shape[1:]), np.uint8)])
    return np.asarray(model.predict_on_batch(pixels))[:count]
