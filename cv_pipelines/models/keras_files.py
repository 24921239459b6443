"""Keras models as bytes, so that they can live in the object store."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras


def model_bytes(model: "keras.Model") -> bytes:
    """A model as the bytes of a `.keras` file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.keras")
        model.save(path)
        return path.read_bytes()


def load_model(data: bytes) -> "keras.Model":
    """A model from the bytes of a `.keras` file; only for files that this platform wrote."""
    import keras

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.keras")
        path.write_bytes(data)
        return keras.saving.load_model(path)
