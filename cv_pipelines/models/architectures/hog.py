"""Fixed features for few images: where edges run, and what colours there are, in a grid of cells.

Histograms of oriented gradients: N. Dalal and B. Triggs, "Histograms of oriented gradients for human detection",
CVPR 2005. Only the last layer learns, so that some dozen images suffice; from some hundred on, networks that also
learn what to look at become better.
"""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import keras

_DIRECTIONS = 12
_CELLS = 8
"""A side; fewer where cells would have less than 4 x 4 pixels."""
_FLAT = 0.05
"""Gradients (of brightness 0 to 1) well below this are noise, and no edge."""
_MOMENTUM = 0.9
"""As in `small_cnn`."""


def hog(size: int) -> "keras.Model":
    """Histograms of gradients by direction and mean colours, of at most 8 x 8 cells, each scaled to unit variance.

    Input (size, size, 3), values 0 to 255. A gradient counts in each direction within a right angle of it, by the
    cube of the cosine.
    """
    import keras
    from keras import layers, ops

    cell = max(4, -(-size // _CELLS))
    image = keras.Input((size, size, 3))
    colours = layers.Rescaling(1 / 255, dtype="float32")(image)
    brightness = ops.mean(colours, axis=-1, keepdims=True)
    around = ops.pad(brightness, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="symmetric")  # its border is no edge
    slopes = ops.relu(_derivatives()(around))
    steepness = ops.sqrt(ops.sum(ops.square(slopes), axis=-1, keepdims=True) + 1e-6)
    edges = layers.AveragePooling2D(cell, padding="same")(slopes**3 / steepness**2)
    edges = edges / (ops.sqrt(ops.sum(ops.square(edges), axis=-1, keepdims=True)) + _FLAT)
    means = layers.AveragePooling2D(cell, padding="same")(colours)
    features = layers.Flatten()(layers.Concatenate()([edges, means]))
    scaled = layers.BatchNormalization(momentum=_MOMENTUM, center=False, scale=False, dtype="float32")(features)
    return keras.Model(image, scaled, name="hog")


def _derivatives() -> "keras.Layer":
    """A convolution that never learns: central differences in directions all around."""
    import keras

    kernels = np.zeros((3, 3, 1, _DIRECTIONS), np.float32)
    angles = 2 * np.pi * np.arange(_DIRECTIONS) / _DIRECTIONS
    kernels[1, 2, 0], kernels[1, 0, 0] = np.cos(angles), -np.cos(angles)
    kernels[2, 1, 0], kernels[0, 1, 0] = np.sin(angles), -np.sin(angles)
    layer = keras.layers.Conv2D(
        _DIRECTIONS, 3, use_bias=False, trainable=False, dtype="float32", name="derivatives"
    )
    layer.build((None, None, None, 1))
    layer.set_weights([kernels])
    return layer
