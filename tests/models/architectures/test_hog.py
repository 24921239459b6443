import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cv_pipelines.models.architectures.factory import build_classifier
from cv_pipelines.models.architectures.hog import hog
from cv_pipelines.models.keras_files import load_model, model_bytes

Pixels = np.ndarray


def cells_of(image: Pixels) -> tuple[Pixels, Pixels]:
    """Edges (rows, columns, directions) and mean colours (rows, columns, 3) of cells, before they are scaled."""
    network = hog(image.shape[0])
    together = next(layer for layer in network.layers if "concatenate" in layer.name).output
    found = np.asarray(keras.Model(network.input, together)(image[None]))[0]
    return found[..., :-3], found[..., -3:]


@settings(max_examples=8, deadline=None)
@given(st.integers(8, 128))
def test_any_size_has_at_most_eight_cells_a_side(size: int) -> None:
    network = hog(size)
    cells = -(-size // max(4, -(-size // 8)))
    assert network.output_shape == (None, cells * cells * (12 + 3))
    assert cells <= 8


@pytest.mark.parametrize(("turns", "direction"), [(0, 0), (1, 9), (2, 6), (3, 3)])
def test_an_edge_is_told_by_the_direction_in_which_it_gets_brighter(turns: int, direction: int) -> None:
    image = np.zeros((32, 32, 3), np.uint8)
    image[:, 14:] = 200  # brighter to the right; turned anticlockwise, brighter upwards
    edges, _ = cells_of(np.rot90(image, turns).copy())
    there = np.argwhere(edges.sum(axis=-1) > 0.5)
    assert len(there) >= 8
    assert {int(edges[row, column].argmax()) for row, column in there} == {direction}


def test_a_flat_image_has_colours_and_no_edges() -> None:
    edges, colours = cells_of(np.full((64, 64, 3), (255, 51, 0), np.uint8))
    assert np.abs(edges).max() < 0.05
    np.testing.assert_allclose(colours, np.broadcast_to([1.0, 0.2, 0.0], colours.shape), atol=1e-3)


def test_an_edge_that_is_four_times_as_strong_counts_less_than_twice() -> None:
    weak, strong = (np.zeros((32, 32, 3), np.uint8) for _ in range(2))
    weak[:, 14:], strong[:, 14:] = 60, 240
    assert 1 < cells_of(strong)[0].max() / cells_of(weak)[0].max() < 2


def test_only_the_last_layer_learns() -> None:
    classifier = build_classifier("hog", 16, classes=3, dropout=0.2)
    assert [weight.shape for weight in classifier.trainable_weights] == [(16 * 15, 3), (3,)]


def test_a_saved_one_says_the_same() -> None:
    classifier = build_classifier("hog", 16, classes=3, dropout=0.2)
    images = np.random.default_rng(0).integers(0, 256, (4, 16, 16, 3), np.uint8)
    again = load_model(model_bytes(classifier))
    np.testing.assert_allclose(np.asarray(again(images)), np.asarray(classifier(images)), atol=1e-6)
