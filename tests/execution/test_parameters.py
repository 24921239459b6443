"""Parameters that break a limit are the caller's mistake, told once."""

from collections.abc import Callable

import pytest
from dagster import Failure

from assets.annotations import SplitConfig
from assets.models import TrainingConfig
from cv_pipelines.models.parameters import TrainingParameters

TRAINING: Callable[..., TrainingConfig] = TrainingConfig
"""For the type checker Dagster's own kind of class has no fields of a second base."""


def test_a_broken_limit_is_told_in_words_and_not_tried_again() -> None:
    with pytest.raises(Failure, match="epochs: Input should be greater than or equal to 1") as caught:
        TRAINING(epochs=0)
    assert caught.value.allow_retries is False
    assert caught.value.metadata["source"].value == "input"
    with pytest.raises(Failure, match="validation"):
        SplitConfig(validation=0.9)


def test_the_launchpad_has_every_parameter_with_its_default() -> None:
    assert TRAINING().model_dump() == TrainingParameters().model_dump() | {"name": ""}
