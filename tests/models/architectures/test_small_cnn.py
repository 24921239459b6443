import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cv_pipelines.models.architectures.small_cnn import small_cnn


@settings(max_examples=8, deadline=None)
@given(st.integers(8, 128))
def test_any_size_ends_in_at_most_four_pixels_a_side(size: int) -> None:
    _, height, width, channels = small_cnn(size).output_shape
    assert height == width
    assert 3 <= height <= 4
    assert channels == 128


@pytest.mark.parametrize(("size", "first"), [(8, (8, 8)), (63, (63, 63)), (64, (32, 32)), (128, (64, 64))])
def test_from_64_pixels_on_the_first_convolution_takes_every_second_pixel(
    size: int, first: tuple[int, int]
) -> None:
    convolution = next(layer for layer in small_cnn(size).layers if "conv" in layer.name)
    assert convolution.output.shape[1:3] == first


def test_it_takes_bytes_and_centres_them() -> None:
    network = small_cnn(8)
    scaling = next(layer for layer in network.layers if "rescaling" in layer.name)
    scaled = np.asarray(scaling(np.array([0, 51, 255], np.uint8)))
    np.testing.assert_allclose(scaled, [-1.0, -0.6, 1.0], atol=1e-6)
    assert np.isfinite(np.asarray(network(np.full((1, 8, 8, 3), 255, np.uint8)))).all()
