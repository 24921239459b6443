"""A video as regions: stretches in which the camera does one thing."""

from fractions import Fraction

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cv_pipelines.motion.intervals import MotionFacts, facts_of, seconds_of
from cv_pipelines.motion.kinds import KINDS, is_pan, kinds_of, pan_towards
from cv_pipelines.motion.squashing import squash
from cv_pipelines.motion.thresholds import Thresholds
from cv_pipelines.motion.track import Track, track_of

REGIONS = pa.schema(
    [
        pa.field("start_frame", pa.int32(), nullable=False),
        pa.field("end_frame", pa.int32(), nullable=False),
        pa.field("start_time", pa.string(), nullable=False),
        pa.field("end_time", pa.string(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("scale_mean", pa.float64()),
        pa.field("rotation_mean", pa.float64()),
        pa.field("tx_mean", pa.float64()),
        pa.field("ty_mean", pa.float64()),
        pa.field("path", pa.float64()),
        pa.field("size", pa.int32(), nullable=False),
        pa.field("confidence", pa.float64()),
        pa.field("invalid_share", pa.float64()),
    ]
)
"""Rows in the order of time, without gap or overlap: the first starts at frame 1, each starts at the frame after
the `end_frame` of the one before, and the last ends at the last frame. An interval counts for the frames from its
first up to the first of the next one; so a cut is the frames of the interval that has it. `end_time` is when the
next region starts, or the video is over.

`kind` is a `kinds.Kind`. `scale_mean`, `rotation_mean` (radians), `tx_mean` and `ty_mean` (pixels, full picture)
say how the content moves in ten frames, whatever the stride, as the published files do; scale is a geometric mean.
`path` is the length of the way of the picture's centre, in pixels: it grows with jitter, so tables of different
strides differ in it. `size` is the number of intervals whose motion is known; where it is 0, means and path are
null. `confidence` is the mean of all intervals, null where there are none. `invalid_share` is the share of frames
whose motion is not known; null in regions that were read from a file that does not say. The schema's metadata are
MotionFacts.
"""
_CUT, _STATIC = KINDS.index("cut"), KINDS.index("static")
_NOTHING = {KINDS.index("dark"), KINDS.index("invalid")}
_MEAN_FRAMES = 10


def find_regions(intervals: pa.Table, limits: Thresholds | None = None) -> pa.Table:
    """The regions of a video, a table of the schema REGIONS.

    Args:
        intervals: a table of the schema INTERVALS, with MotionFacts as its metadata.
        limits: from which speeds on a camera moves.

    Raises:
        InputError: the intervals are not in order or not within the video.
        KeyError: the table has no MotionFacts.
    """
    facts, limits = facts_of(intervals), limits or Thresholds()
    if facts.frames < 1:
        return REGIONS.with_metadata(facts.metadata()).empty_table()
    track = track_of(intervals, facts)
    begins, kinds = _grouped(track, limits)
    table = _with_statistics(track, intervals, facts, begins, kinds)
    return table.cast(REGIONS).replace_schema_metadata(facts.metadata())


def frames_by_kind(regions: pa.Table) -> dict[str, int]:
    """How many frames of each kind a video has, in the order of KINDS."""
    totals = dict.fromkeys(KINDS, 0)
    lengths = pc.add(pc.subtract(regions["end_frame"], regions["start_frame"]), 1)
    for kind, length in zip(regions["kind"].to_pylist(), lengths.to_pylist(), strict=True):
        totals[kind] += length
    return {kind: total for kind, total in totals.items() if total}


def seconds_by_kind(regions: pa.Table) -> dict[str, float]:
    """How long each kind is seen in a video, in seconds, in the order of KINDS."""
    totals = dict.fromkeys(KINDS, Fraction(0))
    spans = zip(*(regions[name].to_pylist() for name in ("kind", "start_time", "end_time")), strict=True)
    for kind, start, end in spans:
        totals[kind] += Fraction(end) - Fraction(start)
    return {kind: float(total) for kind, total in totals.items() if total}


def _grouped(track: Track, limits: Thresholds) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The piece with which each region begins, and its kind."""
    kinds = kinds_of(track, limits).astype(np.int64)
    begins = _changes(kinds)
    lengths = np.diff(track.starts[begins], append=track.frames + 1)
    after = squash(lengths, kinds[begins], _family, limits.shortest, _CUT)
    again = _changes(after)
    joined = after[again]
    # pans of several directions, each of them short, have become one: it goes where they go together
    pans = is_pan(joined) & (np.diff(again, append=len(after)) > 1)
    joined[pans] = pan_towards(np.add.reduceat(track.motion, begins[again])[pans])
    last = _changes(joined)
    return begins[again][last], joined[last]


def _changes(kinds: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.flatnonzero(np.diff(kinds, prepend=-1))


def _family(kind: int) -> int:
    """A motion that is short belongs to the motion beside it rather than to rest."""
    return 0 if kind == _STATIC else -1 if kind in _NOTHING else 1


def _with_statistics(
    track: Track, intervals: pa.Table, facts: MotionFacts, begins: NDArray[np.int64], kinds: NDArray[np.int64]
) -> pa.Table:
    frames, valid = track.stops - track.starts, track.valid

    def total(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(np.add.reduceat(values, begins), np.float64)

    known, all_frames = total(np.where(valid, frames, 0.0)), total(frames.astype(np.float64))
    motion = np.add.reduceat(track.motion, begins) * _MEAN_FRAMES / np.maximum(known, 1)[:, None]
    nothing, present = known == 0, track.rows >= 0
    confidence = np.where(present, intervals["confidence"].to_numpy()[track.rows] if len(intervals) else 0.0, 0.0)
    # what the last interval stands for beyond its end is no way that was seen
    way = np.hypot(track.motion[:, 0], track.motion[:, 1]) * facts.width
    way[-1] *= _seen_of_last(track, intervals)
    rows = total(present.astype(np.float64))
    bounds = np.append(begins, len(track.starts))
    return pa.table(
        {
            "start_frame": track.starts[begins],
            "end_frame": track.stops[bounds[1:] - 1] - 1,
            "start_time": pa.array([track.moments[place] for place in bounds[:-1]], pa.string()),
            "end_time": pa.array([track.moments[place] for place in bounds[1:]], pa.string()),
            "kind": pa.array([KINDS[kind] for kind in kinds], pa.string()),
            "scale_mean": pa.array(np.exp(motion[:, 2]), mask=nothing),
            "rotation_mean": pa.array(motion[:, 3], mask=nothing),
            "tx_mean": pa.array(motion[:, 0] * facts.width, mask=nothing),
            "ty_mean": pa.array(motion[:, 1] * facts.width, mask=nothing),
            "path": pa.array(total(way), mask=nothing),
            "size": total(valid.astype(np.float64)),
            "confidence": pa.array(total(confidence) / np.maximum(rows, 1), mask=rows == 0),
            "invalid_share": 1 - known / all_frames,
        }
    )


def _seen_of_last(track: Track, intervals: pa.Table) -> float:
    """Which part of the last piece its interval really spans."""
    row = int(track.rows[-1])
    if row < 0:
        return 0.0
    spanned = float(intervals["to_frame"][row].as_py() - intervals["from_frame"][row].as_py())
    return min(1.0, spanned / float(track.stops[-1] - track.starts[-1]))


def region_rows(regions: pa.Table) -> list[dict[str, object]]:
    """Regions as rows for a table or for JSON: times as seconds, numbers rounded to what they are good for."""
    rounded = {"scale_mean": 6, "rotation_mean": 6, "tx_mean": 3, "ty_mean": 3, "path": 1, "confidence": 3}
    rows = []
    for row in regions.to_pylist():
        start, end = (round(seconds_of(row[name]), 3) for name in ("start_time", "end_time"))
        numbers = {name: row[name] if row[name] is None else round(row[name], to) for name, to in rounded.items()}
        share = row["invalid_share"]
        rows.append(
            {
                "start_frame": row["start_frame"],
                "end_frame": row["end_frame"],
                "start": start,
                "seconds": round(end - start, 3),
                "kind": row["kind"],
                **numbers,
                "size": row["size"],
                "invalid_share": None if share is None else round(share, 4),
            }
        )
    return rows
