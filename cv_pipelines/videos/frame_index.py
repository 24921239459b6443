"""The list of a video's frames, made once and kept: frame n costs no second look at the whole video."""

from fractions import Fraction

import pyarrow as pa
import pyarrow.parquet as pq

from cv_pipelines.remote.range_file import RangeFile
from cv_pipelines.videos.frames import Frame, Frames, list_frames
from cv_pipelines.videos.opening import open_file
from cv_pipelines.videos.shelf import Shelf
from cv_pipelines.videos.video import Video

BUDGET = 512 * 1024**2
_KIND = "frames 2"


def load_frames(video: Video, file: RangeFile | None = None) -> Frames:
    """All frames of a video; from the cache, where this version of it has been listed before.

    Args:
        video: where it is, with its cache.
        file: its bytes, for whoever has them open.

    Raises:
        InputError: see open_video.
        InfrastructureError: see open_video.
    """
    file = file or open_file(video)
    found = kept_frames(video, file.stamp)
    if found is None:
        found = list_frames(video, file)
        if (shelf := _shelf(video)) and file.stamp:
            shelf.put(frames_bytes(found), _KIND, video.address, file.stamp)
    return found


def kept_frames(video: Video, stamp: str) -> Frames | None:
    """The frames of a video that has been listed before; None where it has not.

    Args:
        video: where it is, with its cache.
        stamp: of its version; nothing is kept of a video without one.
    """
    shelf = _shelf(video)
    data = shelf.get(_KIND, video.address, stamp) if shelf and stamp else None
    try:
        return parse_frames(data) if data else None
    except (pa.ArrowException, OSError, KeyError):  # half a file, where the power went: it is made again
        return None


def frames_bytes(frames: Frames) -> bytes:
    """A list of frames as a small Parquet file."""
    columns = {"time": [frame.time for frame in frames.frames], "key": [frame.key for frame in frames.frames]}
    schema = pa.schema([("time", pa.int64()), ("key", pa.int64())])
    table = pa.table(columns, schema).replace_schema_metadata({"tick": str(frames.tick), "damage": frames.damage})
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, use_dictionary=False, column_encoding="DELTA_BINARY_PACKED", compression="zstd")
    return bytes(sink.getvalue())


def parse_frames(data: bytes) -> Frames:
    """What `frames_bytes` has written.

    Raises:
        pa.ArrowException: it is no such file.
        KeyError: it is another one.
    """
    table = pq.read_table(pa.BufferReader(data), use_threads=False)
    said = {key.decode(): value.decode() for key, value in table.schema.metadata.items()}
    rows = zip(table["time"].to_pylist(), table["key"].to_pylist(), strict=True)
    return Frames([Frame(*row) for row in rows], Fraction(said["tick"]), said["damage"])


def _shelf(video: Video) -> Shelf | None:
    return Shelf(video.cache / "frames", BUDGET) if video.cache else None
