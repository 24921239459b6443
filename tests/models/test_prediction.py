import math
from collections.abc import Callable

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from cv_pipelines.catalog import Catalog
from cv_pipelines.images.statistics import STATISTICS
from cv_pipelines.images.stored import StoredImages
from cv_pipelines.models.drift import ENOUGH, LIMIT, drift
from cv_pipelines.models.inference import open_model, predict_images
from cv_pipelines.models.prediction import PREDICTIONS, measure_drift, predict_dataset
from cv_pipelines.storage.bundles import Bundle, Reference, put_bundle, put_table

Inputs = tuple[Reference, Reference, Reference]


@pytest.fixture(scope="module")
def predicted(colours: Catalog, inputs: Inputs, trained: Reference) -> Reference:
    return predict_dataset(colours, trained, inputs[0]).reference


@pytest.fixture(scope="module")
def bundle(colours: Catalog, predicted: Reference) -> Bundle:
    return colours.open(predicted)


@pytest.fixture(scope="module")
def table(bundle: Bundle) -> pd.DataFrame:
    return bundle.table("predictions").to_pandas()


def test_every_image_has_one_row_in_the_order_of_the_manifest(
    colours: Catalog, inputs: Inputs, bundle: Bundle, table: pd.DataFrame
) -> None:
    assert bundle.table("predictions").schema == PREDICTIONS
    ids = colours.open(inputs[0]).table("images", ["image_id"])["image_id"].to_pylist()
    assert len(ids) == 72  # a full batch and a short one
    assert table["image_id"].tolist() == ids


def test_a_row_has_class_probability_entropy_in_nats_and_versions(
    colours: Catalog, colour_images: StoredImages, inputs: Inputs, trained: Reference, table: pd.DataFrame
) -> None:
    model = open_model(colours.open(trained))
    parts = predict_images(model, colour_images, table["image_id"].tolist(), 16)
    probabilities = np.concatenate(list(parts)).astype(float)
    classes = np.array(["blue", "green", "red"])
    assert table["predicted"].tolist() == classes[probabilities.argmax(axis=1)].tolist()
    np.testing.assert_allclose(table["probability"], probabilities.max(axis=1), rtol=1e-5)
    np.testing.assert_allclose(table["second_probability"], np.sort(probabilities, axis=1)[:, 1], rtol=1e-5)
    np.testing.assert_allclose(table["entropy"], -(probabilities * np.log(probabilities)).sum(axis=1), rtol=1e-4)
    assert table["entropy"].between(0, math.log(3)).all()
    assert set(table["model_version"]) == {trained.version}
    assert set(table["data_version"]) == {inputs[0].version}


def test_the_facts_count_what_was_predicted(
    inputs: Inputs, trained: Reference, bundle: Bundle, table: pd.DataFrame
) -> None:
    facts = bundle.facts
    assert (facts["images"], facts["model"], facts["data"]) == (72, trained.version, inputs[0].version)
    assert facts["counts"] == table["predicted"].value_counts().to_dict()
    assert facts["images_per_second"] > 0


def test_the_same_model_and_data_are_predicted_once(
    colours: Catalog, inputs: Inputs, trained: Reference, predicted: Reference
) -> None:
    again = predict_dataset(colours, trained, inputs[0])
    assert again.reused
    assert again.reference == predicted


def test_certainty_is_an_entropy_of_nothing(
    own_colours: Catalog, inputs: Inputs, always: Callable[..., Reference]
) -> None:
    told: list[tuple[str, int, int | None]] = []

    def tell(stage: str, done: int, total: int | None = None) -> None:
        told.append((stage, done, total))

    found = predict_dataset(own_colours, always(own_colours, "green"), inputs[0], tell).bundle
    rows = found.table("predictions").to_pandas()
    assert rows["probability"].tolist() == pytest.approx([1.0] * 72, abs=1e-6)  # how processors round
    assert rows["entropy"].abs().max() < 1e-6
    assert found.facts["counts"] == {"blue": 0, "green": 72, "red": 0}
    assert told == [("predicting images", 64, 72), ("predicting images", 72, 72)]


def changed_manifest(catalog: Catalog, manifest: Reference, images: pa.Table) -> Reference:
    parts = {"images": put_table(catalog.store, images)}
    return put_bundle(catalog.store, "image_manifest", f"changed-{images.num_rows}", {}, parts)


def test_a_manifest_without_images_gives_a_table_without_rows(
    own_colours: Catalog, inputs: Inputs, always: Callable[..., Reference]
) -> None:
    nothing = changed_manifest(own_colours, inputs[0], own_colours.open(inputs[0]).table("images").slice(0, 0))
    found = predict_dataset(own_colours, always(own_colours, "red"), nothing).bundle
    assert found.table("predictions").schema == PREDICTIONS
    assert found.table("predictions").num_rows == 0
    assert found.facts["images_per_second"] is None


def test_drift_is_measured_on_what_the_model_has_not_learned_from(
    colours: Catalog, inputs: Inputs, trained: Reference, predicted: Reference, table: pd.DataFrame
) -> None:
    found = measure_drift(colours, predicted, trained, inputs[0])
    images = colours.open(inputs[0]).table("images").to_pandas()
    model = colours.open(trained)
    new = ~images["image_id"].isin(model.table("learned")["image_id"].to_pylist()).to_numpy()
    assert 0 < new.sum() < 72
    expected = drift(model.facts["profile"], images[new], table["predicted"][new].tolist())
    facts = found.bundle.facts
    assert facts == {"images": int(new.sum()), "indices": expected, "limit": LIMIT, "enough": ENOUGH}
    assert set(facts["indices"]) == {*STATISTICS, "predictions"}
    assert measure_drift(colours, predicted, trained, inputs[0]).reused


def test_brighter_images_and_one_sided_predictions_are_drift(
    own_colours: Catalog, inputs: Inputs, always: Callable[..., Reference]
) -> None:
    model = always(own_colours, "red")
    images = own_colours.open(inputs[0]).table("images")
    place = images.schema.get_field_index("brightness")
    brighter = pa.array(images["brightness"].to_numpy() + np.float32(0.3))
    manifest = changed_manifest(own_colours, inputs[0], images.set_column(place, "brightness", brighter))
    predictions = predict_dataset(own_colours, model, manifest).reference
    indices = measure_drift(own_colours, predictions, model, manifest).bundle.facts["indices"]
    assert indices["brightness"] > 1
    assert indices["predictions"] > 1
    assert indices["brightness"] > indices["saturation"]


def test_nothing_new_is_no_drift(own_colours: Catalog, inputs: Inputs, always: Callable[..., Reference]) -> None:
    model = always(own_colours, "red")
    learned = own_colours.open(model).table("learned")["image_id"].to_pylist()
    images = own_colours.open(inputs[0]).table("images")
    known = images.filter(np.isin(images["image_id"].to_pylist(), learned))
    manifest = changed_manifest(own_colours, inputs[0], known)
    predictions = predict_dataset(own_colours, model, manifest).reference
    facts = measure_drift(own_colours, predictions, model, manifest).bundle.facts
    assert (facts["images"], facts["indices"]) == (0, {})
