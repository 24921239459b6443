"""Fitting a classifier to cached images: Keras' own `fit`, resumable."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import keras
import numpy as np
from numpy.typing import NDArray

from cv_pipelines.errors import ResourceError
from cv_pipelines.models.accelerator import has_gpu, is_out_of_memory
from cv_pipelines.models.allocator import keep_freed_memory
from cv_pipelines.models.architectures.factory import build_classifier
from cv_pipelines.models.batches import CachedBatches
from cv_pipelines.models.checkpoints import Checkpoints
from cv_pipelines.models.course import Course
from cv_pipelines.models.dataset import LabelledImages
from cv_pipelines.models.history import History, Listener, deaf, is_over
from cv_pipelines.models.keras_files import model_bytes
from cv_pipelines.models.pace import STEPS
from cv_pipelines.models.parameters import TrainingParameters
from cv_pipelines.models.pixel_cache import PixelCache
from cv_pipelines.progress import Progress


@dataclass(frozen=True)
class Fitted:
    """A finished training: the best classifier as `.keras` bytes, and how it went.

    `predicted` is the class index that it gives each training image, in their order.
    `images_per_second` counts training after the first epoch, without validation; None when
    there was only one.
    """

    model: bytes
    predicted: NDArray[np.int64]
    history: History
    images_per_second: float | None
    seconds: float


def fit(
    images: LabelledImages,
    pixels: PixelCache,
    parameters: TrainingParameters,
    batch: int,
    checkpoints: Checkpoints,
    progress: Progress,
    on_epoch: Listener = deaf,
) -> Fitted:
    """Train from the newest checkpoint, or from the start, until the validation loss stops falling.

    Args:
        images: who they are, with the splits `train` and `validation`.
        pixels: record i is image i.
        parameters: with the image size resolved.
        batch: images a step.
        checkpoints: of this very training.
        progress: told of epochs.
        on_epoch: told of their figures.

    Raises:
        ResourceError: code `out_of_memory`.
    """

    def report(history: History) -> None:
        progress("training epochs", len(history), parameters.epochs)
        on_epoch(history)

    keep_freed_memory()
    keras.utils.set_random_seed(parameters.seed)
    with _precision(parameters.mixed_precision), _memory_errors(batch):
        started = time.perf_counter()
        checkpoint = checkpoints.load()
        model = checkpoint.model if checkpoint else trainable(_classifier(images, parameters), parameters)
        _make_state(model)
        course = Course(
            history=checkpoint.history if checkpoint else [],
            best=checkpoint.best if checkpoint else model.get_weights(),
            patience=parameters.patience,
            checkpoints=checkpoints,
            report=report,
        )
        first = len(course.history)
        train = _batches(images, pixels, "train", batch, parameters.seed, first, STEPS)
        if not is_over(course.history, parameters.patience):
            model.fit(
                train,
                validation_data=_batches(images, pixels, "validation", batch),
                initial_epoch=first,
                epochs=parameters.epochs,
                callbacks=[course],
                shuffle=False,  # the batches are, by seed and epoch
                verbose=0,
            )
        model.set_weights(course.best)
        speed = _speed(course.seconds, train.images)
        best = model_bytes(model.get_layer("classifier"))
        seconds = time.perf_counter() - started
        in_order = _batches(images, pixels, "train", batch)
        predicted = np.asarray(model.predict(in_order, verbose=0)).argmax(axis=1)
        return Fitted(best, predicted, course.history, speed, seconds)


def trainable(classifier: keras.Model, parameters: TrainingParameters) -> keras.Model:
    """The classifier behind its augmentation, compiled; the classifier itself stays without it."""
    image = keras.Input(classifier.input_shape[1:])
    x = image
    for layer in _augmentation(parameters.augmentation):
        x = layer(x)
    model = keras.Model(image, classifier(x), name="training")
    model.compile(
        optimizer=keras.optimizers.Adam(parameters.learning_rate),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


def _make_state(model: keras.Model) -> None:
    """Make the variables of optimizer and metrics now: made by the first step, its graph is built twice.

    For MobileNetV2 that is 7 of the 23 s of processor time that a training of one small epoch takes.
    """
    model.optimizer.build(model.trainable_variables)
    classes = model.output_shape[-1]
    model.compute_metrics(None, np.zeros(1, np.int64), np.full((1, classes), 1 / classes, np.float32))
    model.reset_metrics()


def _classifier(images: LabelledImages, parameters: TrainingParameters) -> keras.Model:
    return build_classifier(
        parameters.architecture,
        parameters.image_size,
        len(images.classes),
        parameters.dropout,
        parameters.weights,
        parameters.frozen,
    )


def _augmentation(kind: str) -> list[keras.layers.Layer]:
    """Layers that change training images and leave all others alone."""
    layers = keras.layers
    geometry = [
        layers.RandomTranslation(0.08, 0.08, fill_mode="nearest"),
        layers.RandomRotation(0.02, fill_mode="nearest"),
        layers.RandomZoom((-0.1, 0.1), fill_mode="nearest"),
    ]
    photo = [
        layers.RandomFlip("horizontal"),
        layers.RandomBrightness(0.15, value_range=(0, 255)),
        layers.RandomContrast(0.15, value_range=(0, 255)),
    ]
    return {"none": [], "geometry": geometry, "photo": [*geometry, *photo]}[kind]


def _batches(
    images: LabelledImages,
    pixels: PixelCache,
    split: str,
    batch: int,
    seed: int | None = None,
    epoch: int = 0,
    steps: int = 1,
) -> CachedBatches:
    rows = np.flatnonzero(images.splits == split)
    return CachedBatches(pixels, rows, images.targets[rows], batch, seed, epoch, steps)


def _speed(seconds: list[float], images: int) -> float | None:
    """Images a second after the first epoch, which also builds the graph."""
    later = seconds[1:]
    return round(images * len(later) / sum(later), 1) if later else None


@contextmanager
def _precision(wanted: bool) -> Iterator[None]:
    """Half precision where a GPU is there for it; the policy before is put back."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16" if wanted and has_gpu() else "float32")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


@contextmanager
def _memory_errors(batch: int) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        message = f"Training with batches of {batch} does not fit into memory; smaller batches may."
        raise ResourceError("out_of_memory", message, str(error)) from error
