"""Which videos of the archive have a result, and whether it is that of their present version."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal

from cv_pipelines.catalog import Catalog
from cv_pipelines.errors import InputError
from cv_pipelines.hashing import hash_values
from cv_pipelines.motion.analysis import motion_key
from cv_pipelines.motion.artefacts.regions import REGIONS_VERSION, regions_inputs
from cv_pipelines.motion.parameters import MotionParameters
from cv_pipelines.motion.settings import load_motion_settings
from cv_pipelines.storage.bundles import Bundle, Reference
from cv_pipelines.videos.archive import ArchivedVideo

MOTION, MOTION_REGIONS = "camera_motion", "motion_regions"
"""Assets, and the kinds of their artefacts."""
USUAL = MotionParameters()
"""What an archive is analysed with, so that all of its videos can be compared."""
_THREADS = 16

State = Literal["quarantined", "missing", "stale", "failed", "current"]
"""Of a video in the archive.

`quarantined`: it cannot be used. `missing`: it has no result. `stale`: its result is of another version of the
file, other parameters, thresholds or code. `failed`: its result was stopped by its check, for too much of the
motion is unknown, and doing it again would change nothing. `current`: its result stands."""
DUE: tuple[State, ...] = ("missing", "stale")
"""States in which an analysis helps."""


@dataclass(frozen=True)
class Summary:
    """What is known of a video's motion.

    Attributes:
        frames: how many were analysed; None: it has no result.
        static_share: of them, in static regions; None: nobody has looked for regions yet.
        invalid_share: of the intervals whose motion is unknown; None: as frames.
    """

    frames: int | None = None
    static_share: float | None = None
    invalid_share: float | None = None


def motion_inputs(address: str, stamp: str, parameters: MotionParameters) -> dict[str, str]:
    """What decides a result; `Catalog.once` is asked with exactly this.

    Args:
        address: of the video.
        stamp: of its version.
        parameters: of the analysis.
    """
    return {"motion": motion_key(f"{address}\n{stamp}", parameters)}


def wanted_of(video: ArchivedVideo) -> str:
    """A hash of everything that decides what a result of a video as it is now would be."""
    regions = {"thresholds": load_motion_settings().thresholds().model_dump(), "code": REGIONS_VERSION}
    return hash_values({**motion_inputs(video.address, video.stamp, USUAL), **regions})


def states_of(catalog: Catalog, videos: Sequence[ArchivedVideo]) -> dict[str, State]:
    """How things stand with some hundred videos, by key; as far as the archive knows, no file is looked at."""
    settings = load_motion_settings()
    limits, keys = settings.thresholds(), [video.key for video in videos]
    motion, regions = (catalog.currents(asset, keys) for asset in (MOTION, MOTION_REGIONS))
    made_by = catalog.inputs_of(MOTION, motion.values()) | catalog.inputs_of(MOTION_REGIONS, regions.values())

    def stands(made: Reference | None, inputs: Mapping[str, Any]) -> bool:
        return made is not None and hash_values(inputs) in made_by[made.key]

    def state(video: ArchivedVideo) -> State:
        moves, stretches = motion.get(video.key), regions.get(video.key)
        if video.is_quarantined:
            return "quarantined"
        if moves is None:
            return "missing"
        if not stands(moves, motion_inputs(video.address, video.stamp, USUAL)):
            return "stale"
        if stands(stretches, regions_inputs(moves, limits)):
            return "current"
        if catalog.open(moves).facts["invalid_share"] > settings.invalid_share:
            return "failed"
        return "stale" if stretches else "missing"

    return {video.key: state(video) for video in videos}


def summaries_of(catalog: Catalog, videos: Sequence[ArchivedVideo]) -> dict[str, Summary]:
    """What is known of some hundred videos, by key."""
    keys = [video.key for video in videos]
    motion, regions = (dict(_facts(catalog, catalog.currents(asset, keys))) for asset in (MOTION, MOTION_REGIONS))
    return {
        key: Summary(moves.get("frames"), regions.get(key, {}).get("static_share"), moves.get("invalid_share"))
        for key in keys
        for moves in [motion.get(key, {})]
    }


def made_of(catalog: Catalog, asset: str, video: ArchivedVideo) -> Bundle:
    """What an asset has made of a video.

    Raises:
        InputError: nothing yet.
    """
    reference = catalog.current(asset, video.key)
    if reference is None:
        why = f": it is in quarantine. {video.problem}" if video.is_quarantined else " yet: inject it, or wait."
        raise InputError("not_materialized", f"'{video.address}' has no {asset}{why}")
    return catalog.open(reference)


def _facts(catalog: Catalog, references: dict[str, Reference]) -> Iterator[tuple[str, dict[str, Any]]]:
    with ThreadPoolExecutor(_THREADS) as pool:
        opened = pool.map(catalog.open, references.values())
        yield from zip(references, (dict(bundle.facts) for bundle in opened), strict=True)
