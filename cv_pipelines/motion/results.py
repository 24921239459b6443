"""Which videos of the archive have a result, and whether it is that of their present version."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from cv_pipelines.catalog import Catalog
from cv_pipelines.database.partition_owners import of_present_partition
from cv_pipelines.database.tables import artefacts, publications
from cv_pipelines.hashing import hash_values
from cv_pipelines.motion.analysis import motion_key
from cv_pipelines.motion.parameters import MotionParameters
from cv_pipelines.storage.bundles import Reference
from cv_pipelines.videos.archive import ArchivedVideo

MOTION = "camera_motion"
"""The asset, and the kind of its artefacts."""


@dataclass(frozen=True)
class MotionResult:
    """What the archive has of a video.

    Attributes:
        reference: the artefact.
        is_current: whether the same parameters and this code would make it again of the video as it is now.
    """

    reference: Reference
    is_current: bool


def motion_inputs(address: str, stamp: str, parameters: MotionParameters) -> dict[str, str]:
    """What decides a result; `Catalog.once` is asked with exactly this.

    Args:
        address: of the video.
        stamp: of its version.
        parameters: of the analysis.
    """
    return {"motion": motion_key(f"{address}\n{stamp}", parameters)}


def find_results(
    catalog: Catalog, videos: Sequence[ArchivedVideo], parameters: MotionParameters
) -> dict[str, MotionResult]:
    """The results of some hundred videos, by key; those without one are left out."""
    made = _current(catalog, [video.key for video in videos])
    inputs = _inputs(catalog, (reference.key for reference in made.values()))
    return {
        video.key: MotionResult(made[video.key], _wanted(video, parameters) in inputs[made[video.key].key])
        for video in videos
        if video.key in made
    }


def _wanted(video: ArchivedVideo, parameters: MotionParameters) -> str:
    return hash_values(motion_inputs(video.address, video.stamp, parameters))


def _current(catalog: Catalog, keys: list[str]) -> dict[str, Reference]:
    newest = (
        select(func.max(publications.c.id))
        .where(
            publications.c.asset == MOTION, publications.c.dataset.in_(keys), of_present_partition(publications)
        )
        .group_by(publications.c.dataset)
    )
    with catalog.database.connect() as connection:
        rows = connection.execute(select(publications).where(publications.c.id.in_(newest))).all()
    return {row.dataset: Reference(row.kind, row.version, row.key) for row in rows}


def _inputs(catalog: Catalog, keys: Iterable[str]) -> dict[str, set[str]]:
    """Hashes of the inputs by the artefacts that they make; some make the same."""
    query = select(artefacts.c.key, artefacts.c.inputs).where(artefacts.c.kind == MOTION)
    found: defaultdict[str, set[str]] = defaultdict(set)
    with catalog.database.connect() as connection:
        for key, inputs in connection.execute(query.where(artefacts.c.key.in_(list(keys)))):
            found[key].add(inputs)
    return found
