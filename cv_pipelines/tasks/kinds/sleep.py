"""`sleep`: a task of a known length, for tests of load and of what happens meanwhile."""

from pydantic import Field

from cv_pipelines.tasks.kinds.protocol import Params, Result, TaskKind


class SleepParams(Params):
    """How long."""

    seconds: float = Field(ge=0, le=3600)


class SleepResult(Result):
    """How long it was."""

    slept: float = Field(ge=0, description="Seconds.")


KIND = TaskKind(
    name="sleep",
    description="Do nothing for some seconds: for tests of load.",
    params=SleepParams,
    result=SleepResult,
    job="exercise",
    together=lambda _: {},
    most=1000,
)
