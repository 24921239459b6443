"""`classify_images`: what the champion of a data set sees in some images."""

import binascii
from typing import Annotated, Self

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints, model_validator
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError

from cv_pipelines.tasks.fields import DatasetName
from cv_pipelines.tasks.kinds.protocol import Params, Result, TaskKind
from cv_pipelines.tasks.problem import TaskError

MAX_URIS = 256
MAX_IMAGE_BYTES = 128 << 10
"""Of an image inside a message, decoded; encoded it is a third larger, and a message has 256 KiB."""
_ENCODED = -(-MAX_IMAGE_BYTES // 3) * 4
_EITHER: JsonDict = {
    "oneOf": [
        {"required": ["uris"], "properties": {"uris": {"minItems": 1}}},
        {"required": ["image"], "properties": {"image": {"type": "string"}}},
    ]
}


def _base64(value: str) -> str:
    try:
        size = len(binascii.a2b_base64(value, strict_mode=True))
    except ValueError as error:
        raise PydanticCustomError("base64", "is not base64") from error
    if not 0 < size <= MAX_IMAGE_BYTES:
        raise PydanticCustomError("image_size", "must decode to 1 to 131072 bytes")
    return value


Uri = Annotated[str, StringConstraints(pattern=r"^(s3|https?|file)://[^\x00-\x1f\x7f-\x9f]+$", max_length=2048)]
Image = Annotated[
    str,
    StringConstraints(max_length=_ENCODED),
    AfterValidator(_base64),
    Field(json_schema_extra={"contentEncoding": "base64", "minLength": 1}),
]


class ClassifyImagesParams(Params):
    """Either `uris` or `image`."""

    model_config = ConfigDict(json_schema_extra=_EITHER)

    dataset: DatasetName = Field(description="The data set whose champion model answers.")
    uris: list[Uri] = Field([], max_length=MAX_URIS, description="Image files: s3://, http(s):// or file://.")
    image: Image | None = Field(None, description="A small image file in base64; at most 128 KiB decoded.")
    top: int = Field(5, ge=1, le=20, description="Classes for each image, the likeliest first.")

    @model_validator(mode="after")
    def _either(self) -> Self:
        if bool(self.uris) == (self.image is not None):
            raise PydanticCustomError("either", "name uris, or give an image: one of the two")
        return self


class Prediction(Result):
    """One class, and how likely the model takes it to be."""

    label: str
    probability: float = Field(ge=0, le=1)


class ClassifiedImage(Result):
    """One image of a task, in the task's order: its predictions, or why there are none."""

    uri: str | None = Field(description="As the task names it; null: the image inside the message.")
    image_id: str | None = Field(description="SHA-256 of the file; null: it could not be read.")
    predictions: list[Prediction] = Field(description="The likeliest first; none where there is an error.")
    error: TaskError | None = None


class ClassifyImagesResult(Result):
    """Predictions of one version of a model."""

    model: str = Field(description="Version of the model that has answered.")
    images: list[ClassifiedImage]


KIND = TaskKind(
    name="classify_images",
    description="Classify some images with the champion model of a data set.",
    params=ClassifyImagesParams,
    result=ClassifyImagesResult,
    job="classify_images",
    together=lambda params: params.model_dump(include={"dataset"}),
    most=10_000,
    size=lambda params: len(params.uris) or 1,
)
