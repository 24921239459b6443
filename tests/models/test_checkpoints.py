from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from cv_pipelines.models.checkpoints import Checkpoints
from cv_pipelines.storage.local import LocalStore


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "store")


def model_after(steps: int) -> keras.Model:
    """A model that has learned for some steps."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(optimizer="adam", loss="mse")
    model.run_eagerly = True
    for _ in range(steps):
        model.train_on_batch(np.ones((4, 2)), np.ones((4, 1)))
    return model


def assert_equal(found: list[Any], expected: list[Any]) -> None:
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def test_before_the_first_checkpoint_there_is_none(store: LocalStore) -> None:
    assert Checkpoints(store, "t").load() is None


def test_a_checkpoint_brings_back_history_weights_optimizer_and_the_best(store: LocalStore) -> None:
    model, best = model_after(2), model_after(1).get_weights()
    history = [{"loss": 0.5, "val_loss": 0.25}]
    before = model.get_weights()
    Checkpoints(store, "t").save(history, model, best)
    assert_equal(model.get_weights(), before)
    found = Checkpoints(store, "t").load()
    assert found is not None
    assert found.history == history
    assert_equal(found.model.get_weights(), before)
    assert_equal(found.best, best)
    assert int(found.model.optimizer.iterations) == 2
    for ours, theirs in zip(found.model.optimizer.variables, model.optimizer.variables, strict=True):
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy())


def test_only_the_newest_checkpoint_is_kept(store: LocalStore) -> None:
    checkpoints = Checkpoints(store, "t")
    checkpoints.save([{"val_loss": 2.0}], model_after(1), model_after(1).get_weights())
    files = {stored.key for stored in store.objects("checkpoints/t/")}
    checkpoints.save([{"val_loss": 2.0}, {"val_loss": 1.0}], model_after(3), model_after(2).get_weights())
    assert {stored.key for stored in store.objects("checkpoints/t/")} & files == {"checkpoints/t/newest.json"}
    assert len({stored.key for stored in store.objects("checkpoints/t/")}) == 3
    found = checkpoints.load()
    assert found is not None
    assert len(found.history) == 2
    assert_equal(found.model.get_weights(), model_after(3).get_weights())
    assert_equal(found.best, model_after(2).get_weights())


def test_deleting_leaves_other_trainings_alone(store: LocalStore) -> None:
    for name in ("t", "t2"):
        Checkpoints(store, name).save([{"val_loss": 1.0}], model_after(1), model_after(1).get_weights())
    Checkpoints(store, "t").delete()
    assert Checkpoints(store, "t").load() is None
    assert list(store.objects("checkpoints/t/")) == []
    assert Checkpoints(store, "t2").load() is not None
    Checkpoints(store, "never-there").delete()
