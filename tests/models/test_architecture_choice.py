"""What learns where nobody has named an architecture."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import keras
import pytest

from cv_pipelines.catalog import Catalog
from cv_pipelines.models import training
from cv_pipelines.models.architectures.factory import ARCHITECTURES, architectures_for, build_classifier
from cv_pipelines.models.inference import open_model
from cv_pipelines.models.parameters import TrainingParameters
from cv_pipelines.models.training import train
from cv_pipelines.storage.bundles import Reference

Inputs = tuple[Reference, Reference, Reference]


@pytest.mark.parametrize(("images", "names"), [(1, ("hog",)), (300, ("hog",)), (301, ("hog", "small_cnn"))])
def test_who_learns_depends_on_how_many_images_there_are(images: int, names: tuple[str, ...]) -> None:
    assert architectures_for(images) == names


@pytest.fixture
def several(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """`several("blind", "blocks")`: these are tried for auto; a blind one sees nothing of its image."""

    def choose(*names: str) -> None:
        monkeypatch.setattr(training, "architectures_for", lambda images: names)

    def blind(size: int) -> keras.Model:
        image = keras.Input((size, size, 3))
        seen = keras.layers.Rescaling(0.0, offset=1.0)(image)
        return keras.Model(image, keras.layers.AveragePooling2D(4)(seen), name="blind")

    monkeypatch.setitem(ARCHITECTURES, "blind", blind)
    return choose


@pytest.fixture
def auto(quick: TrainingParameters) -> TrainingParameters:
    """The quick training, of whichever architecture is best."""
    return quick.model_copy(update={"architecture": "auto"})


@pytest.mark.parametrize("names", [("blocks", "blind"), ("blind", "blocks")])
def test_of_several_architectures_the_one_that_validates_best_stays(
    own_colours: Catalog,
    inputs: Inputs,
    auto: TrainingParameters,
    several: Callable[..., None],
    tmp_path: Path,
    names: tuple[str, ...],
) -> None:
    several(*names)
    chosen = train(own_colours, *inputs, auto, tmp_path)
    card = chosen.bundle.facts
    assert card["architecture"] == "blocks"
    assert [one["architecture"] for one in card["tried"]] == list(names)
    losses = {one["architecture"]: one["val_loss"] for one in card["tried"]}
    assert losses["blocks"] < losses["blind"]
    assert min(one["val_loss"] for one in card["history"]) == losses["blocks"]
    assert [layer.name for layer in open_model(chosen.bundle).layers][1] == "blocks"
    assert list(own_colours.store.objects("checkpoints/")) == []
    assert train(own_colours, *inputs, auto, tmp_path) == dataclasses.replace(chosen, reused=True)


@pytest.mark.usefixtures("save_each_epoch")
def test_what_the_first_of_several_has_learned_is_not_learned_again_after_a_stop(
    own_colours: Catalog,
    inputs: Inputs,
    auto: TrainingParameters,
    several: Callable[..., None],
    tmp_path: Path,
) -> None:
    told: list[tuple[str, int]] = []

    def stop(stage: str, done: int, total: int | None = None) -> None:
        if stage.startswith("training epochs"):
            told.append((stage, done))
        if (stage, done) == ("training epochs of blind", 2):
            raise KeyboardInterrupt

    several("blocks", "blind")
    with pytest.raises(KeyboardInterrupt):
        train(own_colours, *inputs, auto, tmp_path, progress=stop)
    first = [("training epochs of blocks", epoch) for epoch in range(1, 5)]
    assert told == [*first, ("training epochs of blind", 1), ("training epochs of blind", 2)]

    def tell(stage: str, done: int, total: int | None = None) -> None:
        again.append((stage, done))

    again: list[tuple[str, int]] = []
    train(own_colours, *inputs, auto, tmp_path, progress=tell)
    assert [stage for stage, _ in again if "blocks" in stage] == []
    assert ("training epochs of blind", 4) in again
    assert ("training epochs of blind", 1) not in again


def test_weights_are_of_one_architecture_and_no_other_is_tried(
    own_colours: Catalog, inputs: Inputs, several: Callable[..., None], auto: TrainingParameters, tmp_path: Path
) -> None:
    several("blind", "blocks")
    build_classifier("blocks", 16, 3, 0.0).save_weights(tmp_path / "some.weights.h5")
    given = auto.model_copy(update={"weights": str(tmp_path / "some.weights.h5"), "epochs": 1})
    made = train(own_colours, *inputs, given, tmp_path)
    assert [one["architecture"] for one in made.bundle.facts["tried"]] == ["blocks"]
