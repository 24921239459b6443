"""From which speed on a camera moves, per second and per width of the picture."""

from pydantic import BaseModel, ConfigDict, Field


class Thresholds(BaseModel):
    """What tells one kind of region from another.

    Speeds are measured where the picture moves most, at its edge: in widths of the picture a second, so that
    neither the rate, the stride nor the resolution of a video changes its regions. The defaults of `pan_speed` and
    `zoom_speed` are the published bounds of a static camera (10 pixels, and 0.01 of scale, in ten frames of 1920
    pixels at 29.97 a second).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    pan_speed: float = Field(1 / 64, gt=0, description="Widths a second from which a camera pans.")
    zoom_speed: float = Field(
        0.03, gt=0, description="Change of the scale's logarithm a second; a zoom from here."
    )
    roll_speed: float = Field(0.03, gt=0, description="Radians a second from which a camera rolls.")
    shake_speed: float = Field(
        1 / 64, gt=0, description="Widths a second, to and fro, from which a camera shakes."
    )
    shake_seconds: float = Field(1.5, gt=0, description="Time over which motion to and fro has to cancel out.")
    shake_net: float = Field(0.5, gt=0, lt=1, description="Largest share of a shake's way that is left over.")
    release: float = Field(0.5, gt=0, le=1, description="A motion lasts until below this share of its threshold.")
    mix: float = Field(
        0.2, gt=0, lt=1, description="Pan with zoom: the lesser is at least this share of the other."
    )
    turn: float = Field(
        10, ge=0, lt=22.5, description="Degrees beyond its sector until a pan's direction is another."
    )
    smoothing: float = Field(0.2, gt=0, description="Seconds over which speeds are means; at least one interval.")
    shortest: int = Field(20, ge=1, description="Frames; shorter regions join a neighbour.")
