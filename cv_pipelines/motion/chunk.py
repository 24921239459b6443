"""One chunk of a video, decoded and analysed."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import pyarrow as pa

from cv_pipelines.motion.corners import Grey
from cv_pipelines.motion.estimation import Estimate, MotionEstimator
from cv_pipelines.motion.grey_pictures import Reduction, grey_picture, reduction_of
from cv_pipelines.motion.intervals import INTERVALS
from cv_pipelines.motion.plan import Chunk
from cv_pipelines.videos.frame_reader import FrameReader
from cv_pipelines.videos.video import Video

_LOST = Estimate(None, "decode_error")


@dataclass(frozen=True)
class ChunkWork:
    """What a worker needs to know.

    Attributes:
        video: whose chunk it is.
        tick: seconds of a unit of its frames' times.
        origin: time of its first frame; times of intervals count from there.
        chunk: which.
        threads: that decode.
    """

    video: Video
    tick: Fraction
    origin: int
    chunk: Chunk
    threads: int = 1


def analyse_chunk(work: ChunkWork) -> pa.Table:
    """Estimate the motion of every interval of a chunk; the same rows whoever does it.

    Returns:
        INTERVALS; what cannot be decoded has the reason `decode_error`.

    Raises:
        InputError: the video is not there, or is none any more.
        InfrastructureError: its server does not answer now.
    """
    import cv2

    cv2.setNumThreads(1)  # processes run side by side
    estimates: list[Estimate] = []
    estimator: MotionEstimator | None = None
    factor = 1
    before: Grey | None = None
    for number, (reduction, picture) in enumerate(_pictures(work)):
        if reduction is not None and estimator is None:
            estimator, factor = MotionEstimator(reduction.centre), reduction.factor
        seen = estimator.see(picture) if estimator and picture is not None else None
        if number:
            estimates.append(seen if seen and before is not None else _LOST)
        if picture is None and estimator:
            estimator.restart()
        before = picture
    return _table(work, estimates, factor)


def lost_chunk(work: ChunkWork) -> pa.Table:
    """The rows of a chunk at which the decoder died."""
    return _table(work, [_LOST] * (len(work.chunk.wanted) - 1), 1)


def _pictures(work: ChunkWork) -> Iterator[tuple[Reduction | None, Grey | None]]:
    """The pictures between which motion is estimated, in their order; None where one cannot be decoded."""
    with closing(FrameReader(work.video, threads=work.threads)) as reader:
        yield from _pictures_of(reader, work.chunk)


def _pictures_of(reader: FrameReader, chunk: Chunk) -> Iterator[tuple[Reduction | None, Grey | None]]:
    frames = chunk.frames
    decoded = reader.frames_from(frames[0].key)
    frame = next(decoded, None)
    reduction: Reduction | None = None
    for place in chunk.wanted:
        time = frames[place].time
        while frame is not None and (frame.pts is None or frame.pts < time):
            frame = next(decoded, None)
        if frame is None or frame.pts != time or frame.is_corrupt:
            yield None, None
            continue
        reduction = reduction or reduction_of(frame)
        yield reduction, grey_picture(frame, reduction.times)


def _table(work: ChunkWork, estimates: list[Estimate], factor: int) -> pa.Table:
    """Estimates in pixels of small pictures as rows in pixels of the video."""
    chunk = work.chunk
    names = [str((frame.time - work.origin) * work.tick) for frame in chunk.frames]
    pairs = list(pairwise(chunk.wanted))
    motions = [one.motion.enlarged(factor) if one.motion else None for one in estimates]
    columns = {
        "from_frame": [chunk.first + start + 1 for start, _ in pairs],
        "to_frame": [chunk.first + stop + 1 for _, stop in pairs],
        "from_time": [names[start] for start, _ in pairs],
        "to_time": [names[stop] for _, stop in pairs],
        "scale": [motion and motion.scale for motion in motions],
        "rotation": [motion and motion.rotation for motion in motions],
        "tx": [motion and motion.shift.real for motion in motions],
        "ty": [motion and motion.shift.imag for motion in motions],
        "inliers": [one.inliers if one.motion else None for one in estimates],
        "residual": [one.residual * factor if one.motion else None for one in estimates],
        "confidence": [one.confidence for one in estimates],
        "valid": [one.motion is not None for one in estimates],
        "reason": [one.reason for one in estimates],
    }
    return pa.table(columns, INTERVALS)
