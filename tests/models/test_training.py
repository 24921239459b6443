import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cv_pipelines.annotations.labels import make_labels
from cv_pipelines.catalog import Catalog, Outcome
from cv_pipelines.errors import InputError
from cv_pipelines.models.inference import open_model
from cv_pipelines.models.parameters import TrainingParameters
from cv_pipelines.models.training import code_version, train
from cv_pipelines.storage.bundles import Reference, put_bundle, put_table
from cv_pipelines.storage.local import LocalStore

Inputs = tuple[Reference, Reference, Reference]
Train = Callable[..., Outcome]

KILLED_TRAINING = """
import functools, json, os, sys
from pathlib import Path
from cv_pipelines.catalog import Catalog
from cv_pipelines.database.engine import open_database
from cv_pipelines.models import fitting
from cv_pipelines.models.architectures.factory import ARCHITECTURES
from cv_pipelines.models.parameters import TrainingParameters
from cv_pipelines.models.training import train
from cv_pipelines.storage.bundles import Reference
from cv_pipelines.storage.local import LocalStore

def blocks(size):
    image = fitting.keras.Input((size, size, 3))
    scaled = fitting.keras.layers.Rescaling(1 / 127.5, offset=-1.0, dtype="float32")(image)
    return fitting.keras.Model(image, fitting.keras.layers.AveragePooling2D(4)(scaled), name="blocks")

ARCHITECTURES["blocks"] = blocks
database, store, cache, inputs, parameters = sys.argv[1:]
fitting.Course = functools.partial(fitting.Course, save_every=0.0)

def die(stage, done, total=None):
    if stage == "training epochs" and done == 3:
        os._exit(9)

catalog = Catalog(open_database(database), LocalStore(Path(store)))
references = [Reference(*fields) for fields in json.loads(inputs)]
train(catalog, *references, TrainingParameters.model_validate_json(parameters), Path(cache), progress=die)
"""


def refuse(stage: str, done: int, total: int | None = None) -> None:
    raise AssertionError(f"{stage}: nothing was to be done")


@pytest.fixture
def train_own(own_colours: Catalog, inputs: Inputs, quick: TrainingParameters, tmp_path: Path) -> Train:
    """Train on a catalog without any model, with some parameters other than quick."""

    def run(**changes: object) -> Outcome:
        return train(own_colours, *inputs, quick.model_copy(update={"epochs": 1, **changes}), tmp_path / "cache")

    return run


def test_the_card_says_what_was_learned_from_what_and_how(
    colours: Catalog, inputs: Inputs, trained: Reference, quick: TrainingParameters
) -> None:
    manifest, labels, splits = inputs
    bundle = colours.open(trained)
    card = bundle.facts
    assert card["architecture"] == "blocks"
    assert card["classes"] == ["blue", "green", "red"]
    assert card["data"] == {"manifest": manifest.version, "labels": labels.version, "splits": splits.version}
    assert card["parameters"] == quick.model_dump(), "as they were set: rounds to come decide on the rest anew"
    assert card["image_size"] == 16
    assert card["code"] == code_version()
    assert len(card["history"]) == quick.epochs
    assert card["history"][-1]["val_accuracy"] > 0.9
    learned = bundle.table("learned")["image_id"].to_pylist()
    assigned = colours.open(splits).table("assignments").to_pylist()
    assert learned == [row["image_id"] for row in assigned if row["split"] == "train"]
    assert sum(card["profile"]["classes"].values()) == len(learned)
    assert sum(card["profile"]["statistics"]["brightness"]["counts"]) == len(learned)


def test_the_model_takes_images_of_the_size_on_its_card_and_knows_its_classes(
    colours: Catalog, trained: Reference
) -> None:
    model = open_model(colours.open(trained))
    assert model.input_shape == (None, 16, 16, 3)
    plain = np.zeros((3, 16, 16, 3), np.uint8) + 60
    plain[np.arange(3), :, :, [2, 1, 0]] += 100
    assert np.asarray(model(plain)).argmax(axis=1).tolist() == [0, 1, 2]  # blue, green, red


def test_the_same_inputs_give_the_same_model_without_training_again(
    colours: Catalog, inputs: Inputs, trained: Reference, quick: TrainingParameters, tmp_path: Path
) -> None:
    again = train(colours, *inputs, quick, tmp_path / "cache", progress=refuse)
    assert again.reused
    assert again.reference == trained
    assert not (tmp_path / "cache").exists()


def test_a_size_that_is_named_is_the_size_that_would_have_been_chosen(
    colours: Catalog, inputs: Inputs, trained: Reference, quick: TrainingParameters, tmp_path: Path
) -> None:
    named = quick.model_copy(update={"image_size": 16})
    assert train(colours, *inputs, named, tmp_path, progress=refuse).reference == trained


def test_without_an_architecture_few_images_are_learned_from_by_fixed_features(train_own: Train) -> None:
    chosen = train_own(architecture="auto", batch_size=64)
    card = chosen.bundle.facts
    assert (card["architecture"], card["parameters"]["architecture"]) == ("hog", "auto")
    assert card["batch_size"] == 16, "of 50 images, so that an epoch is more than a step"
    assert train_own(architecture="hog", batch_size=64).reference == chosen.reference


def test_memory_that_did_not_suffice_halves_the_images_a_step_down_to_one(
    own_colours: Catalog, inputs: Inputs, quick: TrainingParameters, tmp_path: Path
) -> None:
    once = quick.model_copy(update={"epochs": 1})
    smaller = train(own_colours, *inputs, once, tmp_path / "cache", halvings=2)
    assert smaller.bundle.facts["batch_size"] == 2
    again = train(own_colours, *inputs, once.model_copy(update={"seed": 1}), tmp_path / "cache", halvings=9)
    assert again.bundle.facts["batch_size"] == 1


def test_another_parameter_gives_another_model(train_own: Train, trained: Reference) -> None:
    other = train_own()
    assert not other.reused
    assert other.reference.version != trained.version
    assert len(other.bundle.facts["history"]) == 1
    assert train_own() == dataclasses.replace(other, reused=True)


def test_other_labels_give_another_model(
    own_colours: Catalog, inputs: Inputs, trained: Reference, quick: TrainingParameters, tmp_path: Path
) -> None:
    manifest, _, splits = inputs
    labels = make_labels(own_colours, "d", manifest, ("red", "green", "blue")).reference
    other = train(own_colours, manifest, labels, splits, quick, tmp_path / "cache")
    assert other.bundle.facts["classes"] == ["red", "green", "blue"]
    assert other.reference.version != trained.version


def test_a_killed_training_goes_on_elsewhere_from_where_it_stood(
    own_colours: Catalog,
    inputs: Inputs,
    quick: TrainingParameters,
    colours: Catalog,
    trained: Reference,
    tmp_path: Path,
) -> None:
    store = own_colours.store
    assert isinstance(store, LocalStore)
    database = own_colours.database.url.render_as_string(hide_password=False)
    references = json.dumps([dataclasses.astuple(reference) for reference in inputs])
    arguments = [database, str(store.root), str(tmp_path / "here"), references, quick.model_dump_json()]
    killed = subprocess.run(
        [sys.executable, "-c", KILLED_TRAINING, *arguments],
        check=False,
        capture_output=True,
        env=os.environ,
        text=True,
    )
    assert killed.returncode == 9, killed.stderr
    (pointer,) = [one.key for one in store.objects("checkpoints/") if one.key.endswith("newest.json")]
    before = json.loads(store.get(pointer))["history"]
    assert len(before) == 2

    told: list[int] = []

    def tell(stage: str, done: int, total: int | None = None) -> None:
        if stage == "training epochs":
            told.append(done)

    resumed = train(own_colours, *inputs, quick, tmp_path / "elsewhere", progress=tell)
    assert not resumed.reused
    assert told == [3, 4]
    assert resumed.bundle.facts["history"][:2] == before
    assert list(store.objects("checkpoints/")) == []

    uninterrupted = colours.open(trained)
    assert uninterrupted.version == resumed.reference.version
    assert uninterrupted.facts["history"][:2] == [pytest.approx(entry, rel=1e-4) for entry in before]
    assert len(uninterrupted.facts["history"]) == len(resumed.bundle.facts["history"])


def test_one_class_is_nothing_to_learn(
    own_colours: Catalog, inputs: Inputs, quick: TrainingParameters, tmp_path: Path
) -> None:
    manifest, labels, splits = inputs
    table = own_colours.open(labels).table("labels")
    only = table.filter(np.array([label == "red" for label in table["label"].to_pylist()]))
    parts = {"labels": put_table(own_colours.store, only)}
    reds = put_bundle(own_colours.store, "labels", "reds", {"classes": ["red"]}, parts)
    with pytest.raises(InputError, match="nothing to tell apart in 1 class") as caught:
        train(own_colours, manifest, reds, splits, quick, tmp_path)
    assert caught.value.code == "one_class"


def test_an_unknown_architecture_is_refused_and_leaves_no_model(train_own: Train, own_colours: Catalog) -> None:
    with pytest.raises(InputError, match="no architecture 'big_cnn'"):
        train_own(architecture="big_cnn")
    assert own_colours.newest("trained_model", "") is None


def test_a_weights_file_that_is_not_there_is_refused_though_the_rest_was_trained_before(
    colours: Catalog, inputs: Inputs, trained: Reference, quick: TrainingParameters, tmp_path: Path
) -> None:
    missing = quick.model_copy(update={"weights": "/nowhere/missing.weights.h5"})
    with pytest.raises(InputError, match=r"missing\.weights\.h5") as caught:
        train(colours, *inputs, missing, tmp_path)
    assert caught.value.code == "weights"


def test_weights_count_by_their_content(
    train_own: Train, colours: Catalog, trained: Reference, tmp_path: Path
) -> None:
    model = open_model(colours.open(trained))
    first, second = tmp_path / "one.weights.h5", tmp_path / "two.weights.h5"
    model.save_weights(first)
    second.write_bytes(first.read_bytes())
    started = train_own(weights=str(first))
    assert not started.reused
    assert train_own(weights=str(second)).reference == started.reference
    model.set_weights([weight + 1 for weight in model.get_weights()])
    model.save_weights(second)
    assert train_own(weights=str(second)).reference.version != started.reference.version
