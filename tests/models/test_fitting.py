import json
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest

from cv_pipelines.errors import ResourceError
from cv_pipelines.models.checkpoints import Checkpoints
from cv_pipelines.models.dataset import LabelledImages
from cv_pipelines.models.fitting import Fitted, fit
from cv_pipelines.models.history import History, Listener, deaf
from cv_pipelines.models.keras_files import load_model
from cv_pipelines.models.parameters import TrainingParameters
from cv_pipelines.models.pixel_cache import PixelCache
from cv_pipelines.progress import Progress, silent
from cv_pipelines.storage.local import LocalStore

SIDE, COUNT, TRAINING = 8, 60, 42
Fit = Callable[..., Fitted]


class Killed(Exception):  # noqa: N818 - stands for the end of the process
    """What ends a training in the middle."""


def killed_after(epochs: int) -> Progress:
    def report(stage: str, done: int, total: int | None = None) -> None:
        if stage == "training epochs" and done == epochs:
            raise Killed

    return report


@pytest.fixture
def traced(monkeypatch: pytest.MonkeyPatch) -> list[keras.Model]:
    """The model of each graph of a training step that is built."""
    models: list[keras.Model] = []
    step = keras.Model.train_step

    def counted(model: keras.Model, data: object) -> object:
        models.append(model)
        return step(model, data)

    monkeypatch.setattr(keras.Model, "train_step", counted)
    return models


@pytest.fixture(scope="module")
def pixels(tmp_path_factory: pytest.TempPathFactory) -> PixelCache:
    """Images of three classes: one of the colours is a little stronger."""
    images = np.random.default_rng(0).integers(0, 200, (COUNT, SIDE, SIDE, 3), np.uint8)
    images[np.arange(COUNT), :, :, np.arange(COUNT) % 3] += 40
    path = tmp_path_factory.mktemp("pixels") / "images.rgb"
    path.write_bytes(images.tobytes())
    return PixelCache(path, SIDE)


@pytest.fixture
def fit_to(tmp_path: Path, pixels: PixelCache, quick: TrainingParameters) -> Fit:
    """Train with some parameters other than quick; checkpoints by name.

    `shift` gives the validation images the labels of others: the more is learned, the worse it looks.
    """
    splits = np.array(["train"] * TRAINING + ["validation"] * (COUNT - TRAINING))
    ids = [str(number) for number in range(COUNT)]

    def run(
        name: str = "t", progress: Progress = silent, shift: int = 0, on_epoch: Listener = deaf, **changes: object
    ) -> Fitted:
        targets = (np.arange(COUNT) + shift * (splits == "validation")) % 3
        images = LabelledImages(ids, targets, splits, ["r", "g", "b"], "v")
        parameters = quick.model_copy(update={"image_size": SIDE, **changes})
        checkpoints = Checkpoints(LocalStore(tmp_path), name)
        return fit(images, pixels, parameters, parameters.batch_size, checkpoints, progress, on_epoch)

    return run


def losses(fitted: Fitted) -> list[float]:
    return [entry["val_loss"] for entry in fitted.history]


def validation_loss(fitted: Fitted, pixels: PixelCache, shift: int = 0) -> float:
    """The loss of the finished classifier on the validation images, computed by hand."""
    rows = np.arange(TRAINING, COUNT)
    probabilities = np.asarray(load_model(fitted.model)(pixels.read(rows)))
    return float(-np.log(probabilities[np.arange(len(rows)), (rows + shift) % 3]).mean())


def test_a_training_learns_and_says_how_it_went(fit_to: Fit, tmp_path: Path) -> None:
    told: list[tuple[str, int, int | None]] = []
    figures: list[History] = []
    fitted = fit_to(
        progress=lambda stage, done, total=None: told.append((stage, done, total)),
        on_epoch=lambda history: figures.append(list(history)),
    )
    assert figures == [fitted.history[:epochs] for epochs in range(1, 5)]
    assert told == [("training epochs", epoch, 4) for epoch in range(1, 5)]
    assert [set(entry) for entry in fitted.history] == [{"loss", "accuracy", "val_loss", "val_accuracy"}] * 4
    assert fitted.history[-1]["val_accuracy"] > 0.9
    assert fitted.images_per_second is not None
    assert fitted.images_per_second > 0
    assert fitted.seconds > 0
    store = LocalStore(tmp_path)
    (pointer,) = (one.key for one in store.objects("checkpoints/") if one.key.endswith("newest.json"))
    saved = json.loads(store.get(pointer))["history"]
    assert saved == fitted.history[:1], "after the first epoch, and then not for seconds"


def test_the_same_seed_gives_the_same_training(fit_to: Fit) -> None:
    assert fit_to("a", epochs=1, seed=5).history == fit_to("b", epochs=1, seed=5).history


def test_what_is_kept_is_the_classifier_without_its_augmentation(fit_to: Fit) -> None:
    fitted = fit_to(epochs=1, augmentation="photo")
    assert fitted.images_per_second is None  # the first epoch also builds the graph
    model = load_model(fitted.model)
    assert model.name == "classifier"
    assert not any("random" in layer.name for layer in model.layers)
    image = np.full((1, SIDE, SIDE, 3), 100, np.uint8)
    np.testing.assert_array_equal(np.asarray(model(image, training=True)), np.asarray(model(image)))


def test_a_training_stops_early_and_keeps_its_best_weights(fit_to: Fit, pixels: PixelCache) -> None:
    fitted = fit_to(epochs=40, patience=2, shift=1)
    assert len(fitted.history) == 3
    assert losses(fitted) == sorted(losses(fitted))
    assert validation_loss(fitted, pixels, shift=1) == pytest.approx(losses(fitted)[0], rel=1e-3)
    assert losses(fitted)[-1] > 1.05 * losses(fitted)[0]


@pytest.mark.usefixtures("save_each_epoch")
def test_a_training_that_was_killed_goes_on_as_if_it_had_not_been(fit_to: Fit) -> None:
    uninterrupted = fit_to("whole")
    with pytest.raises(Killed):
        fit_to("parts", killed_after(3))
    told: list[int] = []
    resumed = fit_to("parts", lambda stage, done, total=None: told.append(done))
    assert told == [3, 4]
    assert losses(resumed) == pytest.approx(losses(uninterrupted), rel=1e-4)


@pytest.mark.usefixtures("save_each_epoch")
def test_a_training_killed_again_and_again_gets_there(fit_to: Fit, pixels: PixelCache) -> None:
    for epoch in (2, 3):
        with pytest.raises(Killed):
            fit_to("parts", killed_after(epoch), epochs=3)
    fitted = fit_to("parts", epochs=3)
    assert len(fitted.history) == 3
    assert validation_loss(fitted, pixels) == pytest.approx(min(losses(fitted)), rel=1e-3)


@pytest.mark.usefixtures("save_each_epoch")
def test_a_training_killed_after_its_last_epoch_trains_no_more(fit_to: Fit) -> None:
    told: list[int] = []
    first = fit_to("done", epochs=2)
    again = fit_to("done", lambda stage, done, total=None: told.append(done), epochs=2)
    assert told == []
    assert again.history == first.history
    ours, theirs = load_model(again.model).get_weights(), load_model(first.model).get_weights()
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.usefixtures("save_each_epoch")
def test_a_training_that_had_stopped_early_does_not_start_again(fit_to: Fit) -> None:
    first = fit_to("over", epochs=40, patience=1, shift=1)
    assert len(first.history) == 2
    assert fit_to("over", epochs=40, patience=1, shift=1).history == first.history


def test_memory_that_does_not_suffice_is_a_resource_error_with_advice(fit_to: Fit) -> None:
    def report(stage: str, done: int, total: int | None = None) -> None:
        raise MemoryError("no more")

    with pytest.raises(ResourceError, match="batches of 8 does not fit into memory") as caught:
        fit_to(progress=report)
    assert (caught.value.code, caught.value.detail) == ("out_of_memory", "no more")


def test_the_precision_that_was_set_before_is_put_back_whatever_happens(fit_to: Fit) -> None:
    keras.config.set_dtype_policy("float64")
    try:
        with pytest.raises(Killed):
            fit_to(progress=killed_after(1))
        assert keras.config.dtype_policy().name == "float64"
    finally:
        keras.config.set_dtype_policy("float32")


def test_the_graph_of_a_step_is_built_once_also_when_a_training_goes_on(
    fit_to: Fit, traced: list[keras.Model]
) -> None:
    with pytest.raises(Killed):
        fit_to("killed", killed_after(2), epochs=4, batch_size=TRAINING)
    assert len(traced) == 1
    fit_to("killed", epochs=4, batch_size=TRAINING)
    assert len(traced) == 2
