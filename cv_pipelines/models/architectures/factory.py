"""From an architecture's name to a classifier. A new architecture is one line in ARCHITECTURES."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cv_pipelines.errors import InputError
from cv_pipelines.models.architectures.applications import TESTED, application, application_names
from cv_pipelines.models.architectures.hog import hog
from cv_pipelines.models.architectures.small_cnn import small_cnn

if TYPE_CHECKING:
    import keras

ARCHITECTURES: dict[str, Callable[[int], Any]] = {"small_cnn": small_cnn, "hog": hog}
"""A function from the side in pixels to a backbone: (size, size, 3), 0 to 255, to features."""
AUTO = "auto"
"""Whichever learns best from the images that there are."""
_FEW = 300

_MAX_WEIGHTS = 4 * 1024**3


def build_classifier(
    name: str, size: int, classes: int, dropout: float, weights: str = "", frozen: bool = False
) -> "keras.Model":
    """A model from images (batch, size, size, 3), 0 to 255, to probabilities (batch, classes).

    Args:
        name: one of ARCHITECTURES, or a classifier of keras.applications.
        size: side in pixels.
        classes: how many.
        dropout: share of features dropped in training, before the last layer.
        weights: a `.weights.h5` file of the whole classifier or of its backbone; empty: random.
        frozen: only the last layer learns.

    Raises:
        InputError: no such architecture, size or file, or weights that do not fit.
    """
    import keras
    from keras import layers

    backbone = _backbone(name, size)
    image = keras.Input((size, size, 3), name="image")
    x = backbone(image)
    if len(x.shape) == 4:
        x = layers.GlobalAveragePooling2D(name="features")(x)
    x = layers.Dropout(dropout)(x)
    output = layers.Dense(classes, activation="softmax", dtype="float32", name="probabilities")(x)
    model = keras.Model(image, output, name="classifier")
    if weights:
        _load_weights(model, backbone, weights_file(weights))
    if frozen:
        backbone.trainable = False
    return model


def architectures_for(images: int) -> tuple[str, ...]:
    """What is tried for AUTO, with so many images to learn from.

    Of few, fixed features teach more than a network learns, and too few are left to see which did. Of more it
    depends on what is to be seen: of 450 digits the network learns more, of 1,000 photos of clothes much less.
    """
    return ("hog",) if images <= _FEW else ("hog", "small_cnn")


def weights_file(name: str) -> Path:
    """The path of a weights file that may be read.

    Raises:
        InputError: it is none, or too large.
    """
    path = Path(name)
    if not path.is_file() or not path.name.endswith(".weights.h5"):
        why = "is not a .weights.h5 file" if path.exists() else "does not exist"
        raise InputError("weights", f"'{path}' {why}.")
    if path.stat().st_size > _MAX_WEIGHTS:
        raise InputError("weights", f"'{path}' is larger than {_MAX_WEIGHTS // 1024**3} GiB.")
    return path


def require_architecture(name: str) -> None:
    """Raise InputError where there is no such architecture; names that we test need no Keras to be known."""
    if name not in (AUTO, *ARCHITECTURES, *TESTED) and name not in application_names():
        known = ", ".join([AUTO, *ARCHITECTURES, *application_names()])
        raise InputError("architecture", f"There is no architecture '{name}'. There are: {known}.")


def _backbone(name: str, size: int) -> Any:
    require_architecture(name)
    return ARCHITECTURES[name](size) if name in ARCHITECTURES else application(name, size)


def _load_weights(model: "keras.Model", backbone: "keras.Model", path: Path) -> None:
    import keras

    inner = [layer for layer in backbone.layers if isinstance(layer, keras.Model)]  # an application's own network
    problems = []
    for target in (model, backbone, *inner):
        try:
            target.load_weights(path)
        except (ValueError, OSError, KeyError) as error:
            problems.append(str(error).splitlines()[0])
        else:
            return
    message = f"'{path}' fits neither the classifier nor its backbone '{backbone.name}'."
    raise InputError("weights", message, "; ".join(problems))
