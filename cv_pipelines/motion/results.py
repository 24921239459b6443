"""Which videos of the archive have a result, and whether it is that of their present version."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal

from cv_pipelines.catalog import Catalog
from cv_pipelines.hashing import hash_values
from cv_pipelines.motion.analysis import motion_key
from cv_pipelines.motion.artefacts.regions import regions_inputs
from cv_pipelines.motion.parameters import MotionParameters
from cv_pipelines.motion.settings import load_motion_settings
from cv_pipelines.storage.bundles import Reference
from cv_pipelines.videos.archive import ArchivedVideo

MOTION, MOTION_REGIONS = "camera_motion", "motion_regions"
"""Assets, and the kinds of their artefacts."""
USUAL = MotionParameters()
"""What an archive is analysed with, so that all of its videos can be compared."""
_THREADS = 16

State = Literal["quarantined", "missing", "stale", "current"]
"""Of a video in the archive: `quarantined`; without a result (`missing`); with one of another version of the file,
other parameters, thresholds or code (`stale`); or with one that stands (`current`)."""


@dataclass(frozen=True)
class Summary:
    """What is known of a video's motion.

    Attributes:
        frames: how many were analysed; None: it has no result.
        static_share: of them, in static regions; None: nobody has looked for regions yet.
    """

    frames: int | None = None
    static_share: float | None = None


def motion_inputs(address: str, stamp: str, parameters: MotionParameters) -> dict[str, str]:
    """What decides a result; `Catalog.once` is asked with exactly this.

    Args:
        address: of the video.
        stamp: of its version.
        parameters: of the analysis.
    """
    return {"motion": motion_key(f"{address}\n{stamp}", parameters)}


def states_of(catalog: Catalog, videos: Sequence[ArchivedVideo]) -> dict[str, State]:
    """How things stand with some hundred videos, by key; as far as the archive knows, no file is looked at."""
    limits = load_motion_settings().thresholds()
    motion, regions = (catalog.currents(asset, [one.key for one in videos]) for asset in (MOTION, MOTION_REGIONS))
    made_by = catalog.inputs_of(MOTION, motion.values()) | catalog.inputs_of(MOTION_REGIONS, regions.values())

    def state(video: ArchivedVideo) -> State:
        if video.is_quarantined:
            return "quarantined"
        if video.key not in motion or video.key not in regions:
            return "missing"
        wanted = (
            (motion[video.key], motion_inputs(video.address, video.stamp, USUAL)),
            (regions[video.key], regions_inputs(motion[video.key], limits)),
        )
        stands = all(hash_values(inputs) in made_by[reference.key] for reference, inputs in wanted)
        return "current" if stands else "stale"

    return {video.key: state(video) for video in videos}


def summaries_of(catalog: Catalog, videos: Sequence[ArchivedVideo]) -> dict[str, Summary]:
    """What is known of some hundred videos, by key."""
    keys = [video.key for video in videos]
    motion, regions = (dict(_facts(catalog, catalog.currents(asset, keys))) for asset in (MOTION, MOTION_REGIONS))
    return {
        key: Summary(motion.get(key, {}).get("frames"), regions.get(key, {}).get("static_share")) for key in keys
    }


def _facts(catalog: Catalog, references: dict[str, Reference]) -> Iterator[tuple[str, dict[str, Any]]]:
    with ThreadPoolExecutor(_THREADS) as pool:
        opened = pool.map(catalog.open, references.values())
        yield from zip(references, (dict(bundle.facts) for bundle in opened), strict=True)
