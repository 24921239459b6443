"""Motion as the published files sample it: every tenth frame, each with the ten frames around it."""

from fractions import Fraction

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cv_pipelines.errors import InputError
from cv_pipelines.motion.intervals import INTERVALS, MotionFacts, facts_of
from cv_pipelines.motion.published.composition import Similarities, compose_windows

SPAN = 10
"""Frames from the first to the last of a sample's interval, and from one sample to the next."""
STRIDES = (1, 2, 5, 10)
SAMPLES = pa.schema(
    [
        pa.field("frame", pa.int32(), nullable=False),
        pa.field("from_frame", pa.int32(), nullable=False),
        pa.field("to_frame", pa.int32(), nullable=False),
        pa.field("scale", pa.float64()),
        pa.field("rotation", pa.float64()),
        pa.field("tx", pa.float64()),
        pa.field("ty", pa.float64()),
        pa.field("valid", pa.bool_(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
    ]
)
"""One row per sample in the order of frames; the numbers as in `intervals.INTERVALS`, null where `valid` is
false."""
NUMBERS = ("scale", "rotation", "tx", "ty")


def require_stride(video: str, stride: int) -> None:
    """Make sure that intervals of a stride add up to samples of ten frames.

    Raises:
        InputError: they do not.
    """
    if stride not in STRIDES:
        message = f"'{video}': intervals of {stride} frames add up to no ten; analyse it with a stride of"
        raise InputError("published_stride", f"{message} {', '.join(map(str, STRIDES))}, or write Parquet.")


def samples_of(intervals: pa.Table) -> pa.Table:
    """Compose intervals of 1, 2, 5 or 10 frames to samples of ten; a table of the schema SAMPLES.

    Frame f spans f - 5 to f + 5. The frames are 1, 11, 21, … where the stride has their ends (1 and 5), as in the
    published files, whose first sample is the motion from frame 1 to 6 only; else (2 and 10) 6, 16, 26, … A sample
    with an interval that is missing or not valid is not valid: what one tenth of it did is not known, so neither
    is its sum. Its reason is `cut` where one is in it, else that of the first. No sample reaches beyond the last
    frame.

    Raises:
        InputError: another stride.
        KeyError: the table has no MotionFacts.
    """
    facts = facts_of(intervals)
    require_stride(facts.video, facts.stride)
    phase = _phase(intervals, facts)
    steps, reasons = _by_number(intervals, facts, phase)
    length, first = SPAN // facts.stride, SPAN // 2 + 1
    aligned = (first - 1 - phase) % facts.stride == 0
    starts = np.arange(first if aligned else phase + 1, facts.frames - SPAN + 1, SPAN)
    found = [_spanned(steps, reasons, starts, phase, length, facts)]
    if aligned and facts.frames >= first and length > 1:
        found.insert(0, _spanned(steps, reasons, np.array([1]), phase, length // 2, facts))
    elif aligned:
        found.insert(0, _first_half(intervals, first, facts))
    return pa.concat_tables(found)


def intervals_of(samples: pa.Table, facts: MotionFacts) -> pa.Table:
    """Samples as a table of the schema INTERVALS; times count from 0 at the average rate.

    The files say nothing of inliers and residual (null) nor of confidence (1 where valid, else 0).
    """
    valid = samples["valid"].to_numpy().astype(np.float64)
    times = {
        f"{end}_time": _moments(samples[f"{end}_frame"].to_numpy().astype(np.int64), facts.rate)
        for end in ("from", "to")
    }
    nothing = pa.nulls(len(samples), pa.float64())
    derived = {**times, "inliers": nothing, "residual": nothing, "confidence": pa.array(valid)}
    columns = [
        derived[field.name].cast(field.type) if field.name in derived else samples[field.name].cast(field.type)
        for field in INTERVALS
    ]
    return pa.table(columns, schema=INTERVALS.with_metadata(facts.metadata()))


def numbers_of(table: pa.Table) -> Similarities:
    """Shape (n, 4): scale, rotation, tx and ty; nan where they are null."""
    return np.stack([table[name].to_numpy(zero_copy_only=False).astype(np.float64) for name in NUMBERS], axis=1)


def _phase(intervals: pa.Table, facts: MotionFacts) -> int:
    """At which frame, from 0 on, whole intervals begin, within a stride."""
    first, last = (intervals[name].to_numpy().astype(np.int64) for name in ("from_frame", "to_frame"))
    begins = ((first - 1) % facts.stride)[last - first == facts.stride]
    return int(np.bincount(begins).argmax()) if len(begins) else 0


def _first_half(intervals: pa.Table, first: int, facts: MotionFacts) -> pa.Table:
    """The first sample of a published file, which is its own interval: from frame 1 to 6."""
    ends = pc.and_(pc.equal(intervals["from_frame"], 1), pc.equal(intervals["to_frame"], first))
    half = intervals.filter(ends)
    half = half.append_column("frame", pa.array([1] * len(half), SAMPLES.field("frame").type))
    return half.select(SAMPLES.names).cast(SAMPLES.with_metadata(facts.metadata()))


def _by_number(intervals: pa.Table, facts: MotionFacts, phase: int) -> tuple[Similarities, NDArray[np.object_]]:
    """Motion and reason by number, the first begins at `phase`; nan and `unknown` where there is none."""
    count = max(0, facts.frames - 1) // facts.stride
    steps, reasons = np.full((count, 4), np.nan), np.full(count, "unknown", object)
    first, last = (intervals[name].to_numpy().astype(np.int64) for name in ("from_frame", "to_frame"))
    whole = (
        (last - first == facts.stride)
        & ((first - 1 - phase) % facts.stride == 0)
        & (first > phase)
        & (last <= facts.frames)
    )
    places = ((first - 1 - phase) // facts.stride)[whole]
    valid = intervals["valid"].to_numpy()
    steps[places] = np.where(valid[:, None], numbers_of(intervals), np.nan)[whole]
    reasons[places] = intervals["reason"].to_numpy().astype(object)[whole]
    return steps, reasons


def _spanned(
    steps: Similarities,
    reasons: NDArray[np.object_],
    starts: NDArray[np.int64],
    phase: int,
    length: int,
    facts: MotionFacts,
) -> pa.Table:
    """The samples of `length` intervals each from the frames `starts`."""
    places = (starts - 1 - phase) // facts.stride
    totals = compose_windows(steps, places, length)
    valid = np.isfinite(totals).all(axis=1)
    why = [_reason(reasons[place : place + length]) for place in places]
    ends = starts + length * facts.stride
    columns = {
        "frame": ends - SPAN // 2,
        "from_frame": starts,
        "to_frame": ends,
        **{name: pa.array(column, mask=~valid) for name, column in zip(NUMBERS, totals.T, strict=True)},
        "valid": valid,
        "reason": pc.if_else(valid, "", pa.array(why, pa.string())),
    }
    arrays = [pa.array(columns[field.name]).cast(field.type) for field in SAMPLES]
    return pa.table(arrays, schema=SAMPLES.with_metadata(facts.metadata()))


def _moments(frames: NDArray[np.int64], rate: Fraction) -> pa.Array:
    """When frames are shown at an even rate, as exact fractions."""
    over, under = (frames - 1) * rate.denominator, rate.numerator
    common = np.gcd(over, under)
    over, under = (pa.array(part // common).cast(pa.string()) for part in (over, under))
    return pc.if_else(pc.equal(under, "1"), over, pc.binary_join_element_wise(over, under, "/"))


def _reason(reasons: NDArray[np.object_]) -> str:
    given = [reason for reason in reasons.tolist() if reason]
    return "cut" if "cut" in given else (given or ["unknown"])[0]
