from pathlib import Path

import keras
import numpy as np
import pytest

from cv_pipelines.errors import InputError
from cv_pipelines.models.architectures.applications import TESTED
from cv_pipelines.models.architectures.factory import build_classifier


@pytest.fixture
def weights_file(tmp_path: Path) -> Path:
    return tmp_path / "given.weights.h5"


def classifier(classes: int = 3, weights: Path | str = "", name: str = "small_cnn", seed: int = 0) -> keras.Model:
    keras.utils.set_random_seed(seed)
    return build_classifier(name, 8, classes, dropout=0.0, weights=str(weights))


def assert_equal_weights(one: keras.Model, other: keras.Model) -> None:
    for ours, theirs in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_classifier_goes_from_images_to_probabilities() -> None:
    model = classifier(classes=5)
    assert model.input_shape == (None, 8, 8, 3)
    pixels = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 3), np.uint8)
    probabilities = np.asarray(model(pixels))
    assert probabilities.shape == (4, 5)
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0, rtol=1e-5)


def test_an_unknown_architecture_is_answered_with_those_that_there_are() -> None:
    with pytest.raises(InputError, match="no architecture 'ResNet51'") as caught:
        classifier(name="ResNet51")
    assert caught.value.code == "architecture"
    for name in ("small_cnn", "VGG16", *TESTED):
        assert name in caught.value.user_message


@pytest.mark.parametrize("name", ["__doc__", "resnet", "keras", ""])
def test_other_members_of_the_module_are_no_architectures(name: str) -> None:
    with pytest.raises(InputError, match="no architecture"):
        classifier(name=name)


def test_weights_of_the_whole_classifier_are_taken_over(weights_file: Path) -> None:
    given = classifier(seed=1)
    given.save_weights(weights_file)
    assert_equal_weights(classifier(weights=weights_file, seed=2), given)


def test_a_frozen_classifier_learns_in_its_last_layer_alone() -> None:
    frozen = build_classifier("small_cnn", 8, 3, dropout=0.0, frozen=True)
    assert [weight.shape for weight in frozen.trainable_weights] == [(128, 3), (3,)]
    assert len(classifier().trainable_weights) > 2


def test_weights_of_a_backbone_are_taken_over_under_another_number_of_classes(weights_file: Path) -> None:
    given = classifier(classes=3, seed=1).get_layer("small_cnn")
    given.save_weights(weights_file)
    found = classifier(classes=7, weights=weights_file, seed=2)
    assert_equal_weights(found.get_layer("small_cnn"), given)
    assert found.output_shape == (None, 7)


def refused(weights: Path) -> InputError:
    with pytest.raises(InputError) as caught:
        classifier(weights=weights)
    assert caught.value.code == "weights"
    assert str(weights) in caught.value.user_message
    return caught.value


def test_weights_of_another_number_of_classes_are_refused(weights_file: Path) -> None:
    classifier(classes=4).save_weights(weights_file)
    error = refused(weights_file)
    assert "neither the classifier nor its backbone 'small_cnn'" in error.user_message
    assert error.detail


def test_weights_of_another_architecture_are_refused(weights_file: Path) -> None:
    keras.Sequential([keras.Input((5,)), keras.layers.Dense(2)]).save_weights(weights_file)
    refused(weights_file)


def test_a_file_that_is_no_weights_file_is_refused(weights_file: Path) -> None:
    weights_file.write_text("These are no weights.")
    refused(weights_file)


def test_only_weights_files_are_opened_whatever_is_in_them(tmp_path: Path) -> None:
    given = classifier()
    given.save(tmp_path / "model.keras")
    assert "is not a .weights.h5 file" in refused(tmp_path / "model.keras").user_message
    assert "does not exist" in refused(tmp_path / "missing.weights.h5").user_message
    (tmp_path / "folder.weights.h5").mkdir()
    assert "is not a .weights.h5 file" in refused(tmp_path / "folder.weights.h5").user_message


def test_weights_of_a_network_as_keras_saves_it_are_taken_over(weights_file: Path) -> None:
    network = keras.applications.MobileNet(include_top=False, weights=None, input_shape=(32, 32, 3))
    network.save_weights(weights_file)
    found = build_classifier("MobileNet", 32, 3, dropout=0.0, weights=str(weights_file))
    inside = {weight.path: weight.numpy() for weight in found.get_layer("mobilenet").weights}
    for weight in network.weights:
        np.testing.assert_array_equal(inside[weight.path], weight.numpy())
