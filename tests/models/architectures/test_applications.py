import sys
from inspect import getmembers, isfunction

import keras
import numpy as np
import pytest

from cv_pipelines.errors import InputError
from cv_pipelines.models.architectures.applications import TESTED, application, application_names
from cv_pipelines.models.architectures.factory import build_classifier
from cv_pipelines.models.fitting import trainable
from cv_pipelines.models.keras_files import load_model, model_bytes
from cv_pipelines.models.parameters import TrainingParameters
from tests.seldom import SELDOM

SIZE = 32
NAMES = [TESTED[0], *(pytest.param(name, marks=SELDOM) for name in TESTED[1:])]


def frozen_preprocessing(backbone: keras.Model) -> keras.Layer:
    (layer,) = [layer for layer in backbone.layers if layer.name == "preprocess"]
    return layer


def keras_preprocessing(name: str, pixels: np.ndarray) -> np.ndarray:
    module = sys.modules[getattr(keras.applications, name).__module__]
    return np.asarray(module.preprocess_input(pixels.astype(np.float32), data_format="channels_last"))


@pytest.mark.parametrize("name", NAMES)
def test_a_tested_architecture_is_trained_saved_and_loaded(name: str) -> None:
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (2, SIZE, SIZE, 3), np.uint8)
    classifier = build_classifier(name, SIZE, 3, dropout=0.2)

    found = frozen_preprocessing(classifier.get_layer(name.lower()))(pixels.astype(np.float32))
    np.testing.assert_allclose(np.asarray(found), keras_preprocessing(name, pixels), atol=1e-4)

    model = trainable(classifier, TrainingParameters(augmentation="none"))
    model.run_eagerly = True  # one step is not worth a graph
    before = [weight.numpy() for weight in classifier.trainable_weights]
    constant = frozen_preprocessing(classifier.get_layer(name.lower())).get_weights()
    loss, _ = model.train_on_batch(pixels, np.array([0, 2]))
    assert np.isfinite(loss)
    changed = [
        not np.array_equal(old, new.numpy()) for old, new in zip(before, classifier.trainable_weights, strict=True)
    ]
    assert np.mean(changed) > 0.8

    loaded = load_model(model_bytes(classifier))
    for old, new in zip(constant, frozen_preprocessing(loaded.get_layer(name.lower())).get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    probabilities = np.asarray(classifier(pixels, training=False))
    assert probabilities.shape == (2, 3)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0, rtol=1e-5)
    np.testing.assert_allclose(np.asarray(loaded(pixels, training=False)), probabilities, atol=1e-6)


def test_the_five_tested_ones_are_classifiers_of_keras() -> None:
    assert len(TESTED) == 5
    assert set(TESTED) <= set(application_names())


def test_names_are_those_of_the_functions_that_keras_has() -> None:
    assert application_names() == [name for name, _ in getmembers(keras.applications, isfunction)]


@pytest.mark.parametrize("name", ["VGG16", "MobileNet"])
def test_the_preprocessing_of_others_is_built_in_as_well(name: str) -> None:
    """VGG16 swaps red and blue and takes off mean colours; MobileNet goes from -1 to 1."""
    pixels = np.random.default_rng(1).integers(0, 256, (2, SIZE, SIZE, 3), np.uint8)
    layer = frozen_preprocessing(application(name, SIZE))
    expected = keras_preprocessing(name, pixels)
    np.testing.assert_allclose(np.asarray(layer(pixels.astype(np.float32))), expected, atol=1e-4)
    assert np.abs(expected - pixels).max() > 50
    assert not layer.trainable


@pytest.mark.parametrize(("name", "smallest"), [(TESTED[0], 32), ("Xception", 71)])
def test_images_too_small_for_a_network_are_the_callers_mistake(name: str, smallest: int) -> None:
    size = smallest - 1
    with pytest.raises(InputError, match=f"{name} cannot take images of {size} x {size}") as caught:
        application(name, size)
    assert caught.value.code == "image_size"
    assert str(smallest) in caught.value.user_message
