"""Classifiers of `keras.applications`, with their preprocessing built in."""

import ast
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cv_pipelines.errors import InputError

if TYPE_CHECKING:
    import keras

TESTED = ("MobileNetV2", "EfficientNetV2B0", "ResNet50", "DenseNet121", "ConvNeXtTiny")
"""Trained, saved and loaded by our tests; the others should work the same way."""


def application_names() -> list[str]:
    """Every classifier that the installed Keras has, by name.

    They are read from the text of its module, for to import it takes seconds and memory that who only wants to
    know a name, a page for example, need not have.
    """
    found = find_spec("keras")
    places = found.submodule_search_locations if found else None
    if not places:
        return []
    tree = ast.parse((Path(places[0]) / "applications/__init__.py").read_text())
    imported = (node for node in tree.body if isinstance(node, ast.ImportFrom))
    return sorted(one.name for node in imported for one in node.names if one.name[0].isupper())


def application(name: str, size: int) -> "keras.Model":
    """A backbone by its name in `keras.applications`, input (size, size, 3), values 0 to 255.

    Raises:
        InputError: the network cannot take images this small.
    """
    import keras

    constructor = getattr(keras.applications, name)
    try:
        network = constructor(include_top=False, weights=None, input_shape=(size, size, 3))
    except ValueError as error:
        message = f"{name} cannot take images of {size} x {size}: {error}"
        raise InputError("image_size", message) from error
    image = keras.Input((size, size, 3))
    return keras.Model(image, network(_preprocessing(constructor)(image)), name=name.lower())


def _preprocessing(constructor: Any) -> "keras.Layer":
    """The network's `preprocess_input` as a frozen layer that is saved with the model.

    All of them are affine in the colour of one pixel (some also swap red and blue), so a 1 x 1
    convolution says the same; matrix and offset are read off by applying it to black and to the
    three pure colours.
    """
    import keras

    preprocess = sys.modules[constructor.__module__].preprocess_input
    colours = np.zeros((4, 1, 1, 3), np.float32)
    colours[1:, 0, 0, :] = 255.0 * np.eye(3)
    values = np.asarray(preprocess(colours.copy(), data_format="channels_last"))[:, 0, 0, :]
    matrix = (values[1:] - values[0]) / 255.0
    layer = keras.layers.Conv2D(3, 1, name="preprocess", dtype="float32", trainable=False)
    layer.build((None, None, None, 3))
    layer.set_weights([matrix[None, None], values[0]])
    return layer
