"""Why a task, or one image of it, could not be done, as its caller reads it."""

from pydantic import BaseModel, ConfigDict, Field

from cv_pipelines.errors import Source
from cv_pipelines.tasks.fields import CleanText


class TaskError(BaseModel):
    """An error fit for a stranger."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: Source = Field(description="Who has to act; input and submission are never tried again.")
    code: str = Field(description="A short stable name, for programs.")
    message: CleanText = Field(description="What happened, to which item, what to do.")
