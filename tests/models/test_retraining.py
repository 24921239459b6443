import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from cv_pipelines.catalog import Catalog
from cv_pipelines.errors import InputError
from cv_pipelines.images.datasets import Dataset, add_dataset, find_dataset
from cv_pipelines.models.parameters import TrainingParameters
from cv_pipelines.models.retraining import reason_to_train
from cv_pipelines.models.training import train
from cv_pipelines.storage.bundles import Reference, put_bundle
from tests.catalogs import forget_name

Inputs = tuple[Reference, Reference, Reference]
ASSETS = ("image_manifest", "labels", "dataset_splits")


@pytest.fixture
def folder(landing: Path, tmp_path: Path) -> Path:
    """A copy of the files, which tests may change."""
    return shutil.copytree(landing, tmp_path / "files")


@pytest.fixture
def dataset(own_colours: Catalog, inputs: Inputs, folder: Path) -> Dataset:
    """The data set `colours`, whose files may change."""
    forget_name(own_colours.database, "colours")
    added = add_dataset(own_colours.database, "colours", str(folder))
    for asset, reference in zip(ASSETS, inputs, strict=True):
        own_colours.publish(asset, "colours", reference)
    return added


def publish_model(catalog: Catalog, inputs: Inputs) -> None:
    """A model as if it had been trained on these versions."""
    data = dict(zip(("manifest", "labels", "splits"), (one.version for one in inputs), strict=True))
    catalog.publish(
        "trained_model", "colours", put_bundle(catalog.store, "trained_model", "m", {"data": data}, {})
    )


def test_without_a_model_there_is_every_reason(own_colours: Catalog, dataset: Dataset) -> None:
    assert reason_to_train(own_colours, dataset) == "no model yet"


def test_when_nothing_has_changed_there_is_none(own_colours: Catalog, dataset: Dataset, inputs: Inputs) -> None:
    publish_model(own_colours, inputs)
    assert reason_to_train(own_colours, dataset) is None


@pytest.mark.parametrize("asset", ASSETS)
def test_a_new_version_of_what_it_learns_from_is_a_reason(
    own_colours: Catalog, dataset: Dataset, inputs: Inputs, asset: str
) -> None:
    publish_model(own_colours, inputs)
    facts = own_colours.open(inputs[ASSETS.index(asset)]).facts
    own_colours.publish(asset, "colours", put_bundle(own_colours.store, asset, "new", facts, {}))
    assert reason_to_train(own_colours, dataset) == f"{asset} has changed"
    own_colours.publish(asset, "colours", inputs[ASSETS.index(asset)])
    assert reason_to_train(own_colours, dataset) is None


@pytest.mark.parametrize("change", ["added", "removed", "written anew", "moved to another class"])
def test_files_that_nobody_has_read_yet_are_a_reason(
    own_colours: Catalog, dataset: Dataset, inputs: Inputs, folder: Path, change: str
) -> None:
    publish_model(own_colours, inputs)
    path = sorted(folder.glob("red/*.png"))[0]
    if change == "added":
        shutil.copy(path, folder / "red" / "again.png")
    elif change == "removed":
        path.unlink()
    elif change == "written anew":
        os.utime(path, ns=(1, 1))
    else:
        path.rename(folder / "blue" / path.name)
    assert reason_to_train(own_colours, dataset) == "the files of its source have changed"


def test_a_source_that_is_gone_is_said(
    own_colours: Catalog, dataset: Dataset, inputs: Inputs, folder: Path
) -> None:
    publish_model(own_colours, inputs)
    shutil.rmtree(folder)
    with pytest.raises(InputError, match="is neither a folder nor"):
        reason_to_train(own_colours, find_dataset(own_colours.database, "colours"))


def test_a_training_that_found_nothing_new_to_learn_settles_the_reason(
    own_colours: Catalog,
    dataset: Dataset,
    inputs: Inputs,
    folder: Path,
    take_in: Callable[[Catalog, Path], Inputs],
    quick: TrainingParameters,
    tmp_path: Path,
) -> None:
    """An image without a label changes the manifest, and nothing that a model learns from."""
    once = quick.model_copy(update={"epochs": 1})
    first = train(own_colours, *inputs, once, tmp_path / "cache").reference
    own_colours.publish("trained_model", "colours", first)
    Image.new("RGB", (16, 16), "yellow").save(folder / "unsorted.png")
    assert reason_to_train(own_colours, dataset) == "the files of its source have changed"
    again = train(own_colours, *take_in(own_colours, folder), once, tmp_path / "cache").reference
    own_colours.publish("trained_model", "colours", again)
    assert reason_to_train(own_colours, dataset) is None
