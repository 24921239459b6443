from typing import Any

import pytest
from pydantic import ValidationError

from cv_pipelines.models.parameters import TrainingParameters


@pytest.mark.parametrize(
    "wrong",
    [
        {"image_size": -1},
        {"image_size": 1025},
        {"batch_size": 0},
        {"epochs": 0},
        {"learning_rate": 0},
        {"dropout": 1.0},
        {"patience": 0},
        {"augmentation": "wild"},
        {"seed": -1},
    ],
)
def test_parameters_out_of_range_are_refused_by_name(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as caught:
        TrainingParameters(**wrong)
    assert [error["loc"] for error in caught.value.errors()] == [tuple(wrong)]


def test_parameters_survive_the_card_that_keeps_them() -> None:
    parameters = TrainingParameters(architecture="ResNet50", image_size=64, weights="/a/b.weights.h5", seed=3)
    assert TrainingParameters.model_validate_json(parameters.model_dump_json()) == parameters
