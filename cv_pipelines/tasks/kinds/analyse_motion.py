"""`analyse_motion`: how the camera of a video moves, and where it rests."""

from typing import Annotated, Any

from pydantic import Field, StringConstraints

from cv_pipelines.tasks.kinds.dataset_assets import Materialization
from cv_pipelines.tasks.kinds.protocol import Made, Params, Result, TaskKind

_NAME = r"^((s3|https?|file)://[^\x00-\x1f\x7f-\x9f]+|[A-Za-z0-9_][A-Za-z0-9._-]{0,50}~[0-9a-f]{12})$"
_SECONDS = "seconds_"


class AnalyseMotionParams(Params):
    """A video, which need not be in the archive yet."""

    video: Annotated[str, StringConstraints(pattern=_NAME, max_length=2048)] = Field(
        description="Its address (s3://, http(s):// or file://), or its key in the archive."
    )


class AnalyseMotionResult(Result):
    """What is known of a video's motion."""

    key: str = Field(description="Of the video in the archive, where its results are found.")
    frames: int = Field(ge=0)
    valid_share: float = Field(ge=0, le=1, description="Of the intervals: those whose motion is known.")
    seconds: dict[str, float] = Field(description="How long the camera rests, pans, zooms …: by kind of region.")
    materializations: list[Materialization]


def _outcome(partition: str, made: list[Made]) -> dict[str, Any]:
    facts = {one["asset"]: one["facts"] for one in made}
    motion, regions = facts.get("camera_motion", {}), facts.get("motion_regions", {})
    seconds = {name.removeprefix(_SECONDS): value for name, value in regions.items() if name.startswith(_SECONDS)}
    valid = 1 - motion.get("invalid_share", 0)
    frames = motion.get("frames", 0)
    return {"key": partition, "frames": frames, "valid_share": valid, "seconds": seconds, "materializations": made}


KIND = TaskKind(
    name="analyse_motion",
    description="Take a video into the archive, and find how its camera moves and where it rests.",
    params=AnalyseMotionParams,
    result=AnalyseMotionResult,
    job="analyse_motion",
    partition="video",
    outcome=_outcome,
)
