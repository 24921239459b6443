"""The model that answers: how it is found, and what it does where memory is scarce."""

import numpy as np
import pytest

from cv_pipelines.catalog import Catalog
from cv_pipelines.errors import InputError, ResourceError
from cv_pipelines.images.datasets import add_dataset
from cv_pipelines.images.decode import Pixels
from cv_pipelines.models.inference import BATCH, Probabilities, predict_pixels
from cv_pipelines.storage.bundles import Reference
from cv_pipelines.tasks.work import champion as champion_module
from cv_pipelines.tasks.work.champion import Champion, load_champion

IMAGES = list(np.random.default_rng(0).integers(0, 256, (150, 16, 16, 3), np.uint8))


@pytest.fixture
def loaded(catalog: Catalog, champion: Reference) -> Champion:
    return load_champion(catalog, "colours")


def scarce(monkeypatch: pytest.MonkeyPatch, most: int) -> list[int]:
    """Let memory suffice for some images at once only; returns the batches that were tried, as they are."""
    tried: list[int] = []

    def predict(network: object, pixels: Pixels, batch: int = BATCH) -> Probabilities:
        tried.append(batch)
        if batch > most:
            raise MemoryError
        return predict_pixels(network, pixels, batch)

    monkeypatch.setattr(champion_module, "predict_pixels", predict)
    return tried


def test_the_published_champion_is_loaded(loaded: Champion) -> None:
    assert (loaded.version, loaded.classes, loaded.size) == ("c0ffee", ("blue", "green", "red"), 16)


def test_a_data_set_that_is_not_there_or_has_no_champion_is_the_callers_mistake(catalog: Catalog) -> None:
    add_dataset(catalog.database, "untrained", "/nowhere")

    for dataset, code in (("none", "no_dataset"), ("untrained", "not_materialized")):
        with pytest.raises(InputError, match=dataset) as caught:
            load_champion(catalog, dataset)
        assert caught.value.code == code


def test_where_memory_does_not_suffice_smaller_batches_give_the_same_answers(
    loaded: Champion, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = loaded.predict(IMAGES)
    assert expected.shape == (150, 3)

    tried = scarce(monkeypatch, most=20)
    np.testing.assert_allclose(loaded.predict(IMAGES), expected, atol=1e-6)
    assert tried == [64, 32, *[16] * 10]


def test_where_memory_does_not_suffice_for_one_image_it_is_for_want_of_resources(
    loaded: Champion, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = scarce(monkeypatch, most=0)

    with pytest.raises(ResourceError) as caught:
        loaded.predict(IMAGES)
    assert caught.value.code == "out_of_memory"
    assert tried == [64, 32, 16, 8, 4, 2, 1]


def test_another_error_is_not_taken_for_want_of_memory(loaded: Champion) -> None:
    with pytest.raises(ValueError, match="shape"):
        loaded.predict([np.zeros((8, 8, 4), np.uint8)])
    assert loaded.batch == BATCH
