"""What an analysis of camera motion may be told."""

from pydantic import BaseModel, ConfigDict, Field

CODE_VERSION = "1"
"""Of everything that decides what an analysis finds; a new one makes all results stale."""


class MotionParameters(BaseModel):
    """Parameters of an analysis; all of them are part of a result's version.

    Attributes:
        stride: frames from one interval's start to the next.
        start, stop: the frames to analyse, from 1 on, the last one included; 0: to the end.
    """

    model_config = ConfigDict(frozen=True)

    stride: int = Field(1, ge=1, le=1000, description="Frames from one interval to the next.")
    start: int = Field(1, ge=1, description="The first frame.")
    stop: int = Field(0, ge=0, description="The last frame; 0: to the end.")
