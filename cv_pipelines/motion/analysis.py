"""The camera motion of a whole video: planned, analysed by many, and put together again."""

import io
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction

import pyarrow as pa
import pyarrow.parquet as pq

from cv_pipelines.errors import InputError
from cv_pipelines.failpoints import fail_point
from cv_pipelines.hashing import hash_values
from cv_pipelines.motion.chunk import ChunkWork, analyse_chunk, lost_chunk
from cv_pipelines.motion.intervals import INTERVALS, MotionFacts
from cv_pipelines.motion.parameters import CODE_VERSION, MotionParameters
from cv_pipelines.motion.plan import Chunk, plan_chunks
from cv_pipelines.progress import Progress, silent
from cv_pipelines.remote.range_file import RangeFile
from cv_pipelines.storage.parquet import read_parquet
from cv_pipelines.storage.protocol import ObjectStore
from cv_pipelines.videos.frame_index import load_frames
from cv_pipelines.videos.frame_reader import FrameReader
from cv_pipelines.videos.frames import Frames, require_frames
from cv_pipelines.videos.opening import open_file
from cv_pipelines.videos.probe import average_rate
from cv_pipelines.videos.turning import upright_size
from cv_pipelines.videos.video import Video
from cv_pipelines.workers import map_in_workers, start_server


@dataclass(frozen=True)
class MotionPlan:
    """What is to be done for a video; the same whoever plans it.

    Attributes:
        video: which.
        stamp: of its version; empty: its server does not tell.
        key: a hash of everything that decides the result; where the results of its chunks are kept.
        facts: of the video as a whole.
        frames: all of them.
        chunks: the work.
    """

    video: Video
    stamp: str
    key: str
    facts: MotionFacts
    frames: Frames
    chunks: tuple[Chunk, ...]

    def checkpoint(self, chunk: Chunk) -> str:
        """Where the result of a chunk is kept until all are there."""
        return f"{checkpoints_of(self.key)}{chunk.number:06d}.parquet"


def checkpoints_of(key: str) -> str:
    """What the keys of the results of chunks begin with.

    Args:
        key: of the plan.
    """
    return f"checkpoints/{key}/"


def motion_key(stamp: str, parameters: MotionParameters) -> str:
    """A hash of everything that decides a result.

    Args:
        stamp: of the video's version.
        parameters: of the analysis.
    """
    return hash_values({"video": stamp, "code": CODE_VERSION, **parameters.model_dump()})


def plan_motion(video: Video, parameters: MotionParameters, frames: Frames | None = None) -> MotionPlan:
    """List a video's frames and plan its chunks.

    Args:
        video: where it is.
        parameters: of the analysis.
        frames: all of it, where somebody has listed them already.

    Raises:
        InputError: it cannot be read, is cut off before its end, or has too few frames.
        InfrastructureError: its server does not answer now.
    """
    file = open_file(video)
    frames = frames or load_frames(video, file)
    require_frames(video, frames)
    if frames.damage and not 0 < parameters.stop <= len(frames.frames):
        message = f"'{video.address}' is {frames.damage}. Copy it again, or name the last frame to analyse"
        raise InputError("damaged_video", f"{message} (of {len(frames.frames):,}).")
    chunks = tuple(plan_chunks(frames.frames, parameters))
    key = motion_key(f"{video.address}\n{file.stamp}", parameters)
    return MotionPlan(video, file.stamp, key, _facts(video, file, frames, parameters), frames, chunks)


def analyse_motion(plan: MotionPlan, store: ObjectStore, workers: int, progress: Progress = silent) -> pa.Table:
    """Analyse what of a video is not analysed yet, and put everything together.

    Whatever was done before, by whomever, is taken from the store; after a crash only what was under way is lost.
    Not of a video whose server tells no version: nobody knows whether it is still the same.

    Args:
        plan: of the video.
        store: keeps the chunks' results; `forget_chunks` deletes them.
        workers: processes.
        progress: told of frames.

    Returns:
        INTERVALS, with MotionFacts; the same bytes whoever has done how much of it.
    """
    if not plan.stamp:
        forget_chunks(plan, store)
    for _ in analyse_chunks(plan, plan.chunks, store, workers, progress):
        pass
    return merged(plan, store)


def analyse_chunks(
    plan: MotionPlan, chunks: Sequence[Chunk], store: ObjectStore, workers: int, progress: Progress = silent
) -> Iterator[Chunk]:
    """Analyse some chunks of a video, those apart that are there already; yields each as it is kept."""
    stage, total = "analysing frames", sum(chunk.new for chunk in chunks)
    missing = [chunk for chunk in chunks if not store.exists(plan.checkpoint(chunk))]
    done = total - sum(chunk.new for chunk in missing)
    progress(stage, done, total)
    if not missing:
        return
    start_server(analyse_chunk.__module__)
    threads = max(1, workers // len(missing))
    works = [
        ChunkWork(plan.video, plan.frames.tick, plan.frames.frames[0].time, chunk, threads) for chunk in missing
    ]
    for chunk, table in map_in_workers(_analyse, works, _lost, min(workers, len(works)), batch=1):
        store.replace(plan.checkpoint(chunk), parquet_bytes(table))
        fail_point("motion.chunk_kept")
        done += chunk.new
        progress(stage, done, total)
        yield chunk


def missing_chunks(plan: MotionPlan, store: ObjectStore) -> list[Chunk]:
    """The chunks whose results are not there."""
    return [chunk for chunk in plan.chunks if not store.exists(plan.checkpoint(chunk))]


def merged(plan: MotionPlan, store: ObjectStore) -> pa.Table:
    """The results of all chunks as one table: INTERVALS, with MotionFacts."""
    parts = [read_parquet(io.BytesIO(store.get(plan.checkpoint(chunk)))) for chunk in plan.chunks]
    return pa.concat_tables(parts).combine_chunks().cast(INTERVALS.with_metadata(plan.facts.metadata()))


def forget_chunks(plan: MotionPlan, store: ObjectStore) -> None:
    """Delete the results of the chunks; what they came to is kept elsewhere now."""
    for chunk in plan.chunks:
        store.delete(plan.checkpoint(chunk))


def parquet_bytes(table: pa.Table) -> bytes:
    """A table as a Parquet file."""
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()


def _analyse(works: Sequence[ChunkWork]) -> tuple[Chunk, pa.Table]:
    (work,) = works
    return work.chunk, analyse_chunk(work)


def _lost(work: ChunkWork) -> tuple[Chunk, pa.Table]:
    """A chunk at which the decoder died, twice."""
    return work.chunk, lost_chunk(work)


def _facts(video: Video, file: RangeFile, frames: Frames, parameters: MotionParameters) -> MotionFacts:
    times = [frame.time for frame in frames.frames]
    with closing(FrameReader(video, file)) as reader:
        frame, said = next(reader.frames_from(frames.frames[0].key), None), reader.rate
    if frame is None:
        message = f"'{video.address}' has no frame that can be decoded. Copy it again, or convert it to H.264."
        raise InputError("bad_video", message)
    rate = average_rate(times, frames.tick, said) or Fraction(1)
    span = (times[-1] - times[0]) * frames.tick
    return MotionFacts(video.address, *upright_size(frame), len(times), rate, span + 1 / rate, parameters.stride)
