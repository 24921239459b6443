"""The columns of the data package: names, types, bounds and units, as Table Schema (datapackage.org) has them."""

from typing import Any

from cv_pipelines.motion.kinds import KINDS

Field = dict[str, Any]


def _field(name: str, kind: str, title: str, description: str, **constraints: object) -> Field:
    limits = {"constraints": constraints} if constraints else {}
    return {"name": name, "type": kind, "title": title, "description": description, **limits}


_VIDEO = "Name or address of the video."
REGION_FIELDS: list[Field] = [
    _field("video", "string", "Video", _VIDEO, required=True),
    _field("start_frame", "integer", "First frame", "Counted from 1.", required=True, minimum=1),
    _field(
        "end_frame", "integer", "Last frame", "Counted from 1; it belongs to the region.", required=True, minimum=1
    ),
    _field("start_time", "number", "Start", "When the first frame is shown, in seconds.", required=True),
    _field("end_time", "number", "End", "When the last frame is no longer shown, in seconds.", required=True),
    _field(
        "kind",
        "string",
        "Kind",
        "What the camera does; pan_N turns it to the north, which is up. 'invalid' frames show too little.",
        required=True,
        enum=list(KINDS),
    ),
    _field(
        "scale_mean",
        "number",
        "Scale",
        "Factor in ten frames, mean; more than 1 is a zoom in.",
        exclusiveMinimum=0,
    ),
    _field("rotation_mean", "number", "Rotation", "Radians in ten frames, mean; positive is clockwise."),
    _field("tx_mean", "number", "Shift in x", "Pixels in ten frames, mean; positive is to the right."),
    _field("ty_mean", "number", "Shift in y", "Pixels in ten frames, mean; positive is down."),
    _field("path", "number", "Path", "Length of the way of the picture's centre, in pixels.", minimum=0),
    _field("size", "integer", "Intervals", "Number of intervals whose motion is known.", required=True, minimum=0),
    _field("confidence", "number", "Confidence", "Mean of the intervals, from 0 to 1.", minimum=0, maximum=1),
    _field(
        "invalid_share", "number", "Unknown", "Share of frames whose motion is not known.", minimum=0, maximum=1
    ),
]
"""Those of `regions.REGIONS`, after the video."""
VIDEO_FIELDS: list[Field] = [
    _field("video", "string", "Video", _VIDEO, required=True, unique=True),
    _field("width", "integer", "Width", "Of the upright picture, in pixels.", required=True, minimum=1),
    _field("height", "integer", "Height", "Of the upright picture, in pixels.", required=True, minimum=1),
    _field("frames", "integer", "Frames", "How many it has.", required=True, minimum=0),
    _field("rate", "number", "Rate", "Frames a second, on average.", required=True, exclusiveMinimum=0),
    _field("duration", "number", "Duration", "In seconds.", required=True, minimum=0),
    _field("stride", "integer", "Stride", "Frames between those that were compared.", required=True, minimum=1),
]
"""Those of `intervals.MotionFacts`."""
