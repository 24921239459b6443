"""What kinds have in common whose task is to make assets of one data set."""

from pydantic import Field

from cv_pipelines.tasks.fields import DatasetName
from cv_pipelines.tasks.kinds.protocol import Params, Result


class DatasetParams(Params):
    """A data set that somebody has named before."""

    dataset: DatasetName = Field(description="Name of the data set.")


class Materialization(Result):
    """An asset of the data set, as the task has left it."""

    asset: str
    version: str = Field(description="Content hash: the same for the same content.")
    facts: dict[str, bool | int | float | str] = Field(
        {}, description="What is known of it: counts, metrics, names."
    )


class DatasetResult(Result):
    """What a task has made of a data set."""

    dataset: str
    materializations: list[Materialization]
