"""A table of intervals as pieces that cover the whole video, with its motion in units that no video changes."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cv_pipelines.errors import InputError
from cv_pipelines.motion.intervals import MotionFacts

Floats = NDArray[np.float64]
_FRACTION = r"^(?P<over>-?\d{1,18})(?:/(?P<under>0*[1-9]\d{0,17}))?$"


@dataclass(frozen=True)
class Track:
    """A video in pieces without gap or overlap: n intervals, or stretches of which the table says nothing.

    A piece is the frames from its interval's first up to, not including, that of the next piece; the last piece
    goes to the last frame of the video.

    Attributes:
        starts: shape (n,), the first frame of each.
        frames: of the video.
        rows: shape (n,), the row of the table that each is from, -1 where there is none.
        moments: n + 1 presentation times (`1001/30000`) at which pieces start, and the last ends.
        seconds: shape (n + 1,), the same as numbers that increase.
        motion: shape (n, 4), the way of the content in each piece: x and y in widths of the picture, the logarithm
            of scale, rotation; 0 where there is none.
        valid: shape (n,), whether it is known.
        reasons: why not, in the words of `intervals.Reason`.
    """

    starts: NDArray[np.int64]
    frames: int
    rows: NDArray[np.int64]
    moments: Sequence[str]
    seconds: Floats
    motion: Floats
    valid: NDArray[np.bool_]
    reasons: NDArray[np.object_]

    @cached_property
    def stops(self) -> NDArray[np.int64]:
        """Shape (n,): one past the last frame of each piece."""
        return np.append(self.starts[1:], self.frames + 1)

    @cached_property
    def shots(self) -> tuple[Floats, Floats]:
        """When the shot of each piece starts and ends; nothing is averaged across a cut."""
        cut = self.reasons == "cut"
        starts, ends = self.seconds[:-1], self.seconds[1:]
        first = np.maximum.accumulate(np.where(cut, ends, self.seconds[0]))
        last = np.minimum.accumulate(np.where(cut, starts, self.seconds[-1])[::-1])[::-1]
        return np.where(cut, starts, first), np.where(cut, ends, last)


def track_of(intervals: pa.Table, facts: MotionFacts) -> Track:
    """Cover a video with the intervals of a table, and with what is missing between, before and after them.

    A table that samples the video (intervals shorter than the stride) counts as whole, and so do fewer frames than
    a stride after the last interval.

    Raises:
        InputError: the intervals are not in order, or not within the video, or their times are no fractions.
    """
    first, last = (intervals[name].to_numpy().astype(np.int64) for name in ("from_frame", "to_frame"))
    _check(first, last, facts)
    starts, rows, moments = _pieces(first, last, intervals, facts)
    seconds = _increasing(_numbers(moments), np.append(starts, facts.frames), facts)
    covered = np.diff(starts, append=facts.frames + 1) / np.append(last - first, 1)[rows]
    return Track(
        starts, facts.frames, rows, moments.to_pylist(), seconds, *_motion(intervals, rows, covered, facts)
    )


def _check(first: NDArray[np.int64], last: NDArray[np.int64], facts: MotionFacts) -> None:
    wrong = (first < 1) | (last <= first) | (last > facts.frames) | (np.diff(first, prepend=0) <= 0)
    if wrong.any():
        row = int(np.argmax(wrong))
        message = (
            f"'{facts.video}': interval {row + 1} goes from frame {first[row]} to {last[row]}. Intervals "
            f"come in the order of time, from a frame to a later one, of 1 to {facts.frames}. Analyse it again."
        )
        raise InputError("motion_table", message)


def _pieces(
    first: NDArray[np.int64], last: NDArray[np.int64], intervals: pa.Table, facts: MotionFacts
) -> tuple[NDArray[np.int64], NDArray[np.int64], pa.Array]:
    """Where pieces start, which row each is from, and the moments at which they start and the last one ends."""
    if not len(first):
        return np.array([1]), np.array([-1]), pa.array(["0", str(facts.duration)])
    begins, ends = (intervals[name].combine_chunks() for name in ("from_time", "to_time"))
    _numbers(ends)
    following = np.append(first[1:], max(last[-1], facts.frames - facts.stride + 1))
    gaps = np.flatnonzero((following > last) & (following > first + facts.stride))
    starts = np.concatenate([first, last[gaps]])
    rows = np.concatenate([np.arange(len(first)), np.full(len(gaps), -1)])
    moments = pa.concat_arrays([begins, ends.take(pa.array(gaps))])
    if first[0] > 1:
        lead = Fraction(begins[0].as_py()) - (int(first[0]) - 1) / facts.rate
        starts, rows = np.append(starts, 1), np.append(rows, -1)
        moments = pa.concat_arrays([moments, pa.array([str(lead)])])
    order = np.argsort(starts)
    end = Fraction(ends[-1].as_py()) + (facts.frames - int(last[-1]) + 1) / facts.rate
    return starts[order], rows[order], pa.concat_arrays([moments.take(pa.array(order)), pa.array([str(end)])])


def _numbers(moments: pa.Array) -> Floats:
    """Fractions as floats, all at once."""
    parts = pc.extract_regex(moments, _FRACTION)
    if parts.null_count:
        wrong = moments.filter(parts.is_null())[0]
        raise InputError("motion_table", f"'{wrong}' is no time: times are fractions of seconds, as 1001/30000.")
    over, under = pc.struct_field(parts, "over"), pc.struct_field(parts, "under")
    under = pc.if_else(pc.equal(under, ""), "1", under)
    return np.asarray(over.cast(pa.float64()).to_numpy() / under.cast(pa.float64()).to_numpy(), np.float64)


def _increasing(seconds: Floats, frames: NDArray[np.int64], facts: MotionFacts) -> Floats:
    """Times that increase: where those of a file stand still or go back, frames count instead."""
    steps = np.diff(seconds)
    counted = np.maximum(np.diff(frames), 1) / float(facts.rate)
    steps = np.where(steps > 0, steps, counted)
    return np.concatenate([[0.0], np.cumsum(steps)])


def _motion(
    intervals: pa.Table, rows: NDArray[np.int64], covered: Floats, facts: MotionFacts
) -> tuple[Floats, NDArray[np.bool_], NDArray[np.object_]]:
    """The way of each piece, whether it is known, and why not."""
    if not len(intervals):
        return np.zeros((1, 4)), np.zeros(1, bool), np.array([""], object)
    names = ("tx", "ty", "scale", "rotation")
    tx, ty, scale, rotation = (pc.fill_null(intervals[name], np.nan).to_numpy() for name in names)
    with np.errstate(divide="ignore", invalid="ignore"):
        ways = np.stack([tx / facts.width, ty / facts.width, np.log(scale), rotation], axis=1)[rows]
        # an interval stands for the frames up to the next one, be they more or fewer than it spans
        ways *= covered[:, None]
    valid = intervals["valid"].to_numpy()[rows] & (rows >= 0) & np.isfinite(ways).all(axis=1)
    ways[~valid] = 0
    return ways, valid, np.where(rows >= 0, intervals["reason"].to_numpy().astype(object)[rows], "")
