"""Camera motion as a table: one row per interval between two frames."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import pyarrow as pa

Reason = Literal["", "dark", "blurred", "textureless", "cut", "decode_error", "unknown"]
"""Why an interval has no motion; empty where it has; `unknown` where a file from elsewhere does not say."""

INTERVALS = pa.schema(
    [
        pa.field("from_frame", pa.int32(), nullable=False),
        pa.field("to_frame", pa.int32(), nullable=False),
        pa.field("from_time", pa.string(), nullable=False),
        pa.field("to_time", pa.string(), nullable=False),
        pa.field("scale", pa.float64()),
        pa.field("rotation", pa.float64()),
        pa.field("tx", pa.float64()),
        pa.field("ty", pa.float64()),
        pa.field("inliers", pa.float64()),
        pa.field("residual", pa.float64()),
        pa.field("confidence", pa.float64(), nullable=False),
        pa.field("valid", pa.bool_(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
    ]
)
"""Rows in the order of time; frames are numbered from 1 in the order in which they are shown.

`from_time` and `to_time` are presentation times, exact fractions of seconds (`1001/30000`). A point p of the frame
`from_frame` is seen in `to_frame` at `c + scale * R(rotation) (p - c) + (tx, ty)`, in pixels of the full picture,
upright; c is its centre ((width - 1) / 2, (height - 1) / 2), x goes right, y down, and R turns by `rotation`
radians from x to y. So a camera that pans to the east moves the picture to the left: tx < 0. `inliers` is the
share of the tracked points that agree, `residual` their root mean square distance from where they should be, in
pixels, `confidence` goes from 0 to 1. The numbers are null where `valid` is false. The schema's metadata are
MotionFacts.
"""


@dataclass(frozen=True)
class MotionFacts:
    """What a motion file says of its video as a whole; kept as the metadata of the table's schema.

    Attributes:
        video: its address; what a file from elsewhere says, where it says another.
        width, height: of the upright picture, in pixels.
        frames: how many there are.
        rate: frames a second, on average.
        duration: seconds.
        stride: frames from one interval's start to the next.
    """

    video: str
    width: int
    height: int
    frames: int
    rate: Fraction
    duration: Fraction
    stride: int

    def metadata(self) -> dict[str, str]:
        """As strings, for a schema; what in an address is no text, is marked."""
        return {f"cv.{name}": str(value).encode(errors="replace").decode() for name, value in vars(self).items()}


def seconds_of(moment: str) -> float:
    """A time of a table (`1001/30000`) as a number, in seconds."""
    over, _, under = moment.partition("/")
    return int(over) / int(under or 1)


def facts_of(table: pa.Table) -> MotionFacts:
    """Read them from a table's schema.

    Raises:
        KeyError: it has none.
    """
    kept = {key.decode(): value.decode() for key, value in (table.schema.metadata or {}).items()}
    width, height, frames, stride = (int(kept[f"cv.{name}"]) for name in ("width", "height", "frames", "stride"))
    rate, duration = Fraction(kept["cv.rate"]), Fraction(kept["cv.duration"])
    return MotionFacts(kept["cv.video"], width, height, frames, rate, duration, stride)
