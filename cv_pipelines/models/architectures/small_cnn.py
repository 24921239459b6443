"""A small convolutional network for small data: trains on a CPU in seconds."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras

_WIDTHS = (32, 64, 128, 128)
_SMALLEST = 4
_MOMENTUM = 0.9
"""Small data has few steps an epoch: at the usual 0.99 the statistics would lag epochs behind."""


def small_cnn(size: int) -> "keras.Model":
    """Stages of convolution, batch normalisation and pooling until 4 x 4 pixels are left.

    Input (size, size, 3), values 0 to 255. From 64 pixels on, a first convolution of stride 2
    saves three quarters of the work.
    """
    import keras
    from keras import layers

    image = keras.Input((size, size, 3))
    x = layers.Rescaling(1 / 127.5, offset=-1.0, dtype="float32")(image)
    side = size
    if size >= 64:
        x = layers.Conv2D(_WIDTHS[0], 3, strides=2, padding="same", use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization(momentum=_MOMENTUM)(x))
        side = (size + 1) // 2
    for width in _WIDTHS:
        x = layers.Conv2D(width, 3, padding="same", use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization(momentum=_MOMENTUM)(x))
        if side > _SMALLEST:
            x = layers.MaxPooling2D(padding="same")(x)
            side = (side + 1) // 2
    return keras.Model(image, x, name="small_cnn")
