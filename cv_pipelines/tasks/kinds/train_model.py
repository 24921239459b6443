"""`train_model`: train on a data set, judge the model, promote it if it is better."""

from typing import Annotated

from pydantic import AfterValidator, Field, ValidationError, WithJsonSchema
from pydantic_core import PydanticCustomError

from cv_pipelines.errors import problems_of
from cv_pipelines.models.parameters import TrainingParameters
from cv_pipelines.tasks.fields import Text, WholeNumber
from cv_pipelines.tasks.kinds.dataset_assets import DatasetParams, DatasetResult
from cv_pipelines.tasks.kinds.protocol import TaskKind

Parameters = dict[str, bool | WholeNumber | float | Text]


def _known(given: Parameters) -> Parameters:
    """What may be set, with values that it may have; what is not set stays so."""
    if given.get("weights"):
        raise PydanticCustomError("weights", "weights: a file of this machine; only 'cv-pipelines run' takes one")
    try:
        TrainingParameters.model_validate(given, strict=True)
    except ValidationError as error:
        raise PydanticCustomError("parameters", "{problems}", {"problems": problems_of(error)}) from error
    return given


class TrainModelParams(DatasetParams):
    """A data set, and what to set about the training."""

    parameters: Annotated[
        Parameters, AfterValidator(_known), WithJsonSchema(TrainingParameters.model_json_schema())
    ] = Field({}, description="As 'cv-pipelines run --set' takes them; the rest is left to the platform.")


KIND = TaskKind(
    name="train_model",
    description="Train a model on a data set, judge it, and promote it if it is better than the champion.",
    params=TrainModelParams,
    result=DatasetResult,
    job="train",
    settings=lambda params: {"trained_model": params.parameters},
)
