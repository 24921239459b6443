"""The static stretches of a video as small pictures: the middle frame of each."""

import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from fractions import Fraction

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from PIL import Image

from cv_pipelines.catalog import Catalog, Outcome
from cv_pipelines.errors import InputError
from cv_pipelines.hashing import VERSION_LENGTH, hash_values
from cv_pipelines.motion.artefacts.video import frames_of, video_of
from cv_pipelines.progress import Progress, silent
from cv_pipelines.storage.bundles import Bundle, Reference, put_bundle, put_part
from cv_pipelines.videos.pictures import Wish, picture_file
from cv_pipelines.videos.video import Video
from cv_pipelines.workers import map_in_workers

KIND = "static_thumbnails"
THUMBNAILS_VERSION = "1"
WIDTH = 320
"""Pixels; pictures of videos that have fewer are as wide as these."""
MOST = 200
"""Stretches of a video that get a picture: the longest ones. A video of a moving camera may have thousands."""
_BATCH = 4
_OF_ONE_FRAME = ("bad_video", "no_frame")


@dataclass(frozen=True)
class Stretch:
    """A static stretch.

    Attributes:
        start_frame, end_frame: both belong to it; counted from 1.
        start, end: when it is shown, exact fractions of seconds after the first frame.
        frame: the one in its middle.
        problem: why there is no picture of it; empty: there is.
    """

    start_frame: int
    end_frame: int
    start: str
    end: str
    frame: int
    problem: str = ""

    @property
    def part(self) -> str:
        """The artefact's part that has its picture."""
        return f"{self.frame:09d}.jpg"


@dataclass(frozen=True)
class _Job:
    video: Video
    frame: int
    time: Fraction
    width: int


def make_thumbnails(
    catalog: Catalog,
    entry: Reference,
    regions: Reference,
    workers: int,
    progress: Progress = silent,
    force: bool = False,
) -> Outcome:
    """Take a picture of each static stretch.

    Args:
        catalog: where artefacts are.
        entry: the video, of the kind `video_catalog`.
        regions: of the kind `motion_regions`.
        workers: processes.
        progress: told of pictures.
        force: take them again though they are there.

    Returns:
        An artefact with a JPEG part for each stretch that has no `problem`, and the facts `name`, `stretches` (see
        `stretches_of`), `static` (how many there are) and `pictures`.

    Raises:
        InputError: the video is not there any more, or has changed.
        InfrastructureError: its server does not answer now.
    """

    def make(_: str) -> Reference:
        video, stretches = catalog.open(entry), static_stretches(catalog.open(regions).table("regions"))
        found = _pictures(video, longest(stretches, MOST), workers, progress)
        parts = {one.part: put_part(catalog.store, data, ".jpg") for one, data in found if data}
        facts = {
            "name": Video(video.facts["address"]).name,
            "static": len(stretches),
            "pictures": len(parts),
            "stretches": [asdict(one) for one, _ in found],
        }
        version = hash_values({"facts": facts, "parts": parts})[:VERSION_LENGTH]
        return put_bundle(catalog.store, KIND, version, facts, parts)

    inputs = {"video": entry.version, "regions": regions.version, "code": THUMBNAILS_VERSION}
    return catalog.once(KIND, inputs, make, settled=lambda _: not force)


def static_stretches(regions: pa.Table) -> list[Stretch]:
    """The static regions of a table REGIONS, in the order of time."""
    return [
        Stretch(first, last, row["start_time"], row["end_time"], (first + last) // 2)
        for row in regions.to_pylist()
        if row["kind"] == "static"
        for first, last in [(row["start_frame"], row["end_frame"])]
    ]


def longest(stretches: Sequence[Stretch], most: int) -> list[Stretch]:
    """At most so many, the longest ones, in the order of time."""
    kept = sorted(stretches, key=lambda one: one.start_frame - one.end_frame)[:most]
    return sorted(kept, key=lambda one: one.start_frame)


def stretches_of(thumbnails: Bundle) -> list[Stretch]:
    """The stretches that an artefact has pictures of, or could have none of."""
    return [Stretch(**one) for one in thumbnails.facts["stretches"]]


def picture_of(thumbnails: Bundle, stretch: Stretch) -> NDArray[np.uint8] | None:
    """The picture of a stretch as RGB, shape (height, width, 3); None where there is none."""
    if stretch.problem:
        return None
    with Image.open(io.BytesIO(thumbnails.bytes(stretch.part)), formats=("JPEG",)) as image:
        return np.asarray(image.convert("RGB"))


def _pictures(
    entry: Bundle, stretches: Sequence[Stretch], workers: int, progress: Progress
) -> list[tuple[Stretch, bytes]]:
    """Stretches with their pictures; where there is none, it is empty and the stretch says why."""
    if not stretches:
        return []
    video, frames = video_of(entry), frames_of(entry)
    width = min(WIDTH, entry.facts["width"])
    jobs = [_Job(video, one.frame, frames.frames[one.frame - 1].time * frames.tick, width) for one in stretches]
    taken: dict[int, tuple[bytes, str]] = {}
    for some in map_in_workers(_take, jobs, _crashed, min(workers, len(jobs)), _BATCH):
        taken |= some
        progress("taking pictures", len(taken), len(jobs))
    results = [(one, *taken[one.frame]) for one in stretches]
    return [(replace(one, problem=problem), data) for one, data, problem in results]


def _take(jobs: Sequence[_Job]) -> dict[int, tuple[bytes, str]]:
    return {job.frame: _taken(job) for job in jobs}


def _taken(job: _Job) -> tuple[bytes, str]:
    # by its time: of a video on a server the list of frames, which finds numbers, may not be here
    try:
        return picture_file(job.video, Wish(time=job.time, width=job.width, kind="jpeg")), ""
    except InputError as error:
        if error.code not in _OF_ONE_FRAME:
            raise
        return b"", error.user_message


def _crashed(job: _Job) -> dict[int, tuple[bytes, str]]:
    return {job.frame: (b"", "it kills the decoder")}
