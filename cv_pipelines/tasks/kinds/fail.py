"""`fail`: a task that fails in a way of the caller's choice, for tests of what becomes of that."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from cv_pipelines.errors import Source
from cv_pipelines.tasks.fields import Text
from cv_pipelines.tasks.kinds.protocol import Params, Result, TaskKind


class FailParams(Params):
    """How to fail, and how often."""

    source: Source | Literal["crash"] = Field(description="Source of the error; crash: the process dies.")
    times: int | None = Field(None, ge=0, le=1_000_000, description="The first so many attempts fail; null: all.")
    message: Annotated[Text, StringConstraints(max_length=1000)] = "This task was asked to fail."


class FailResult(Result):
    """How many attempts it took."""

    attempts: int = Field(ge=1)


KIND = TaskKind(
    name="fail",
    description="Fail some times: for tests of errors and of trying again.",
    params=FailParams,
    result=FailResult,
    job="exercise",
    together=lambda _: {},
    most=1000,
)
