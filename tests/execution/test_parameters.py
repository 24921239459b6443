"""Parameters that break a limit are the caller's mistake, told once."""

import pytest
from dagster import Failure

from assets.annotations import SplitConfig
from assets.models import TrainingConfig
from cv_pipelines.models.parameters import TrainingParameters


def test_a_broken_limit_is_told_in_words_and_not_tried_again() -> None:
    with pytest.raises(Failure, match="epochs: Input should be greater than or equal to 1") as caught:
        TrainingConfig(epochs=0)
    assert caught.value.allow_retries is False
    assert caught.value.metadata["source"].value == "input"
    with pytest.raises(Failure, match="validation"):
        SplitConfig(validation=0.9)


def test_the_launchpad_has_every_parameter_with_its_default() -> None:
    assert TrainingConfig().model_dump() == TrainingParameters().model_dump() | {"name": ""}
