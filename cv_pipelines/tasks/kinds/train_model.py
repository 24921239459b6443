"""`train_model`: train on a data set, judge the model, promote it if it is better."""

from typing import Annotated, Any

from pydantic import AfterValidator, Field, StringConstraints, ValidationError, WithJsonSchema
from pydantic_core import PydanticCustomError

from cv_pipelines.errors import InputError, problems_of
from cv_pipelines.models.names import NAME, require_model_name
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


def _name(name: str) -> str:
    try:
        require_model_name(name)
    except InputError as error:
        raise PydanticCustomError("model_name", "{problem}", {"problem": error.user_message}) from error
    return name


class TrainModelParams(DatasetParams):
    """A data set, what to set about the training, and what to call the model."""

    parameters: Annotated[
        Parameters, AfterValidator(_known), WithJsonSchema(TrainingParameters.model_json_schema())
    ] = Field({}, description="As 'cv-pipelines run --set' takes them; the rest is left to the platform.")
    name: Annotated[str, StringConstraints(pattern=f"^{NAME}$"), AfterValidator(_name)] | None = Field(
        None, description="Saves the model under this name, unless another of the data set has it; not a version."
    )


def _settings(params: TrainModelParams) -> dict[str, dict[str, Any]]:
    named = {"name": params.name} if params.name else {}
    return {"trained_model": {**params.parameters, **named}}


KIND = TaskKind(
    name="train_model",
    description="Train a model on a data set, judge it, and promote it if it is better than the champion.",
    params=TrainModelParams,
    result=DatasetResult,
    job="train",
    settings=_settings,
)
