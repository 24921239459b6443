from collections.abc import Sequence

import numpy as np
import pytest

from cv_pipelines.catalog import Catalog
from cv_pipelines.images.resize import decode_for_model
from cv_pipelines.images.stored import StoredImages
from cv_pipelines.models.inference import BATCH, open_model, predict_images, predict_pixels
from cv_pipelines.storage.bundles import Reference


def pixels_of(images: StoredImages, image_ids: Sequence[str], size: int) -> np.ndarray:
    return np.stack([decode_for_model(images.read(image), size) for image in image_ids])


def test_predictions_come_in_the_order_of_the_images_with_a_short_last_batch(
    colours: Catalog, colour_images: StoredImages, trained: Reference
) -> None:
    image_ids = colour_images.ids.to_pylist()[::-1]
    model = open_model(colours.open(trained))
    parts = list(predict_images(model, colour_images, image_ids, 16))
    assert [part.shape for part in parts] == [(BATCH, 3), (72 - BATCH, 3)]
    expected = np.asarray(model(pixels_of(colour_images, image_ids, 16)))
    np.testing.assert_allclose(np.concatenate(parts), expected, atol=1e-6)


@pytest.mark.parametrize("count", [1, BATCH - 1, BATCH])
def test_a_short_batch_is_answered_as_a_full_one(colours: Catalog, trained: Reference, count: int) -> None:
    model = open_model(colours.open(trained))
    pixels = np.random.default_rng(0).integers(0, 256, (count, 16, 16, 3), np.uint8)
    found = predict_pixels(model, pixels)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, np.asarray(model(pixels)), atol=1e-6)


def test_no_images_have_no_predictions(colours: Catalog, colour_images: StoredImages, trained: Reference) -> None:
    assert list(predict_images(open_model(colours.open(trained)), colour_images, [], 16)) == []
