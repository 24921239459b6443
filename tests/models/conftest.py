"""A tiny data set of real files, and what it takes to try models on it.

Test modules cannot import from here, so whatever they share is a fixture of the product's own types.
"""

import functools
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image
from sqlalchemy import Engine

from cv_pipelines.annotations.labels import LABELS, make_labels
from cv_pipelines.annotations.splits import SplitParameters, make_splits
from cv_pipelines.catalog import Catalog
from cv_pipelines.database.engine import open_database
from cv_pipelines.images.datasets import add_dataset
from cv_pipelines.images.ingest import ingest
from cv_pipelines.images.sources.factory import open_source
from cv_pipelines.images.stored import StoredImages, stored_images
from cv_pipelines.models.architectures.factory import ARCHITECTURES
from cv_pipelines.models.keras_files import model_bytes
from cv_pipelines.models.parameters import TrainingParameters
from cv_pipelines.models.training import train
from cv_pipelines.storage.bundles import Reference, put_bundle, put_part, put_table
from cv_pipelines.storage.local import LocalStore

if TYPE_CHECKING:
    import keras

Inputs = tuple[Reference, Reference, Reference]
_ASSETS = ("image_manifest", "labels", "dataset_splits")


@pytest.fixture
def database(database_url: str) -> Iterator[Engine]:
    """An application database of its own."""
    engine = open_database(database_url)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def landing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """72 images of three classes that differ in colour, of three sizes, some of them from indoors."""
    folder = tmp_path_factory.mktemp("landing")
    random = np.random.default_rng(0)
    for number in range(72):
        label, side = number % 3, (12, 16, 20)[number // 3 % 3]
        pixels = random.integers(0, 120, (side, side, 3), np.uint8)
        pixels[..., label] += 100
        path = (
            folder / ("red", "green", "blue")[label] / ("indoors" if number % 4 == 0 else "") / f"{number:02}.png"
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)
    return folder


@pytest.fixture(scope="session")
def take_in() -> Callable[[Catalog, Path], Inputs]:
    """From a folder to manifest, labels and splits, published as those of the data set `colours`."""

    def run(catalog: Catalog, folder: Path) -> Inputs:
        manifest = ingest(catalog, open_source(str(folder)), workers=1).reference
        labels = make_labels(catalog, "d", manifest).reference
        previous = catalog.current("dataset_splits", "colours")
        splits = make_splits(catalog, manifest, labels, previous, SplitParameters()).reference
        for asset, reference in zip(_ASSETS, (manifest, labels, splits), strict=True):
            catalog.publish(asset, "colours", reference)
        return manifest, labels, splits

    return run


@pytest.fixture(scope="session")
def colours(
    tmp_path_factory: pytest.TempPathFactory, landing: Path, take_in: Callable[[Catalog, Path], Inputs]
) -> Catalog:
    """A catalog with the data set `colours`, for tests that publish and promote nothing."""
    root = tmp_path_factory.mktemp("colours")
    catalog = Catalog(open_database(f"sqlite:///{root / 'cv.sqlite'}"), LocalStore(root / "store"))
    add_dataset(catalog.database, "colours", str(landing))
    take_in(catalog, landing)
    return catalog


@pytest.fixture(scope="session")
def inputs(colours: Catalog) -> Inputs:
    """Manifest, labels and splits of `colours`; they hold in `own_colours` just as well."""
    manifest, labels, splits = (colours.require(asset, "colours") for asset in _ASSETS)
    return manifest, labels, splits


@pytest.fixture(scope="session")
def colour_images(colours: Catalog, inputs: Inputs) -> StoredImages:
    """The files of the images of `colours`."""
    return stored_images(colours.open(inputs[0]))


@pytest.fixture
def own_colours(tmp_path: Path, colours: Catalog, inputs: Inputs, landing: Path) -> Catalog:
    """A copy of `colours` in which nothing was trained yet."""
    assert isinstance(colours.store, LocalStore)
    shutil.copytree(
        colours.store.root,
        tmp_path / "store",
        ignore=lambda folder, names: [n for n in names if n in ("checkpoints", "trained_model") or ".keras" in n],
    )
    url = f"sqlite:///{tmp_path / 'own.sqlite'}"
    catalog = Catalog(open_database(url), LocalStore(tmp_path / "store"))
    add_dataset(catalog.database, "colours", str(landing))
    for asset, reference in zip(_ASSETS, inputs, strict=True):
        catalog.publish(asset, "colours", reference)
    return catalog


def _blocks(size: int) -> "keras.Model":
    import keras

    image = keras.Input((size, size, 3))
    scaled = keras.layers.Rescaling(1 / 127.5, offset=-1.0, dtype="float32")(image)
    return keras.Model(image, keras.layers.AveragePooling2D(4)(scaled), name="blocks")


@pytest.fixture(scope="session", autouse=True)
def _blocks_architecture() -> Iterator[None]:
    """An architecture that is trained in a moment: the mean colours of blocks of the image."""
    ARCHITECTURES["blocks"] = _blocks
    yield
    del ARCHITECTURES["blocks"]


@pytest.fixture(scope="session")
def quick() -> TrainingParameters:
    """A training of a second that learns to tell the colours apart."""
    return TrainingParameters(
        architecture="blocks", batch_size=8, epochs=4, learning_rate=0.05, augmentation="none", dropout=0.0
    )


@pytest.fixture(scope="session")
def trained(
    colours: Catalog, inputs: Inputs, quick: TrainingParameters, tmp_path_factory: pytest.TempPathFactory
) -> Reference:
    """A model of `colours`."""
    return train(colours, *inputs, quick, tmp_path_factory.mktemp("cache")).reference


@pytest.fixture
def save_each_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trainings write a checkpoint after every epoch, not every few seconds."""
    from cv_pipelines.models import fitting
    from cv_pipelines.models.course import Course

    monkeypatch.setattr(fitting, "Course", functools.partial(Course, save_every=0.0))


@pytest.fixture(scope="session")
def always(colours: Catalog, trained: Reference) -> Callable[..., Reference]:
    """A model that gives every image the same class: `always(catalog, "blue", classes)`."""

    def make(catalog: Catalog, label: str, classes: Sequence[str] = ("blue", "green", "red")) -> Reference:
        import keras

        image = keras.Input((16, 16, 3))
        mean = keras.layers.GlobalAveragePooling2D()(image)
        output = keras.layers.Dense(len(classes), activation="softmax", kernel_initializer="zeros")
        model = keras.Model(image, output(mean), name="classifier")
        output.set_weights([output.get_weights()[0], 200.0 * (np.array(classes) == label)])
        bundle = colours.open(trained)
        parts = {
            "model": put_part(catalog.store, model_bytes(model), ".keras"),
            "learned": put_table(catalog.store, bundle.table("learned")),
        }
        card = {**bundle.facts, "classes": list(classes)}
        return put_bundle(catalog.store, "trained_model", f"always-{label}", card, parts)

    return make


@pytest.fixture(scope="session")
def relabel() -> Callable[..., Reference]:
    """Labels in which some images have another class: `relabel(catalog, labels, {image_id: label})`."""

    def make(catalog: Catalog, labels: Reference, changes: Mapping[str, str]) -> Reference:
        rows = catalog.open(labels).table("labels").to_pylist()
        changed = [{**row, "label": changes.get(row["image_id"], row["label"])} for row in rows]
        counts = Counter(row["label"] for row in changed)
        facts = {"classes": sorted(counts), "counts": dict(counts), "unlabelled": 0}
        parts = {"labels": put_table(catalog.store, pa.Table.from_pylist(changed, LABELS))}
        return put_bundle(catalog.store, "labels", f"relabelled-{len(changes)}", facts, parts)

    return make
