"""Camera motion in the published JSON format, version 1.1; 1.0 is read too.

Its similarities are about `-center`, which is half of width and height. Ours are about the middle of the picture's
pixels, half a pixel before that: what is written and read is moved from the one point to the other.
"""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, get_args

import numpy as np
import pyarrow as pa
from pydantic import AliasChoices, Field

from cv_pipelines.errors import InputError
from cv_pipelines.motion.intervals import MotionFacts, Reason, facts_of
from cv_pipelines.motion.published.composition import IDENTITY, about
from cv_pipelines.motion.published.format import (
    UNKNOWN_SIZE,
    Frame,
    Number,
    Published,
    PublishedFile,
    movie_of,
    parse,
    read_bounded,
)
from cv_pipelines.motion.published.samples import NUMBERS, SAMPLES, SPAN, intervals_of, numbers_of, samples_of

_HALF_PIXEL = np.array([0.5, 0.5])
_REASONS = set(get_args(Reason)) - {""}


@dataclass(frozen=True)
class Effort:
    """What an analysis cost, and where it ran."""

    elapsed_seconds: float
    started: datetime
    ended: datetime
    hostname: str = ""
    cpu: str = ""


class _Flow(Published):
    similarity: tuple[Number, Number, Number, Number]
    center: tuple[Number, Number]
    from_frame: Frame = Field(validation_alias="fromFrame")
    to_frame: Frame = Field(validation_alias="toFrame")
    valid: bool
    reason: str = ""


class _Sample(Published):
    frame: Annotated[int, Field(ge=1, le=2**31 - 1)] = Field(
        validation_alias=AliasChoices("frameNumber", "frame_number")
    )
    flow: _Flow = Field(validation_alias=AliasChoices("opticalFlow", "similarity"))


class _MotionFile(PublishedFile):
    samples: list[_Sample] = Field(validation_alias=AliasChoices("frameStats", "frame_stats"))


def motion_json(intervals: pa.Table, effort: Effort | None = None, image_scale: float = 1.0) -> bytes:
    """A table of intervals in the published format.

    Each sample that is not valid has, beside the published keys, its `reason`.

    Args:
        intervals: of the schema INTERVALS, of a stride of 1, 2, 5 or 10 frames; see `samples_of`.
        effort: what it cost; without it, zeros and empty strings stand there.
        image_scale: by which the pictures were made smaller for the analysis.

    Raises:
        InputError: the intervals are of another stride.
    """
    facts, samples = facts_of(intervals), samples_of(intervals)
    moved = about(numbers_of(samples), _HALF_PIXEL)
    each = (effort.elapsed_seconds if effort else 0.0) / max(len(samples), 1)
    content = {
        "contents": {
            "movie": "1.0",
            "frameStats": {"opticalFlow": "1.1"},
            "performance": {"timing": "1.0", "hostinfo": "1.1"},
        },
        "movie": movie_of(facts),
        "performance": _performance(effort),
        "frameStats": [
            _sample(row, numbers, each, image_scale, facts)
            for row, numbers in zip(samples.to_pylist(), moved.tolist(), strict=True)
        ],
    }
    return json.dumps(content, ensure_ascii=False, allow_nan=False, indent=1).encode()


def parse_motion(data: bytes, name: str) -> pa.Table:
    """A published file as a table of the schema INTERVALS with MotionFacts.

    Samples may be in any order. One that is not valid has the reason that it gives, or `unknown`; where it does
    not say its frames either (0, as older files do), they are the five before and after it. The file has no times,
    so they are counted from the average rate.

    Args:
        data: JSON, at most `format.MAX_BYTES`.
        name: of the file, for messages.

    Raises:
        InputError: it is no such file, or contradicts itself; names the file and the key or frame.
    """
    file = parse(_MotionFile, data, name, ("opticalFlow", "optical_flow"))
    samples = sorted(file.samples, key=lambda sample: sample.frame)
    _check(samples, file.movie.frames, name)
    width, height = next((_size(sample.flow) for sample in samples if any(sample.flow.center)), UNKNOWN_SIZE)
    steps = Counter(np.diff([sample.frame for sample in samples]).tolist())
    facts = file.movie.facts(width, height, steps.most_common(1)[0][0] if steps else SPAN)
    return intervals_of(_samples_table(samples, facts, name), facts)


def read_motion(path: Path) -> pa.Table:
    """A published file on disk; see `parse_motion`.

    Raises:
        InputError: it is no such file.
        OSError: it cannot be read.
    """
    return parse_motion(read_bounded(path), path.name)


def _performance(effort: Effort | None) -> dict[str, Any]:
    timing: dict[str, Any] = {"elapsedSeconds": 0.0, "startTime": "", "endTime": ""}
    host = {"hostname": "", "cpu": ""}
    if effort:
        started, ended = str(effort.started), str(effort.ended)
        timing = {"elapsedSeconds": effort.elapsed_seconds, "startTime": started, "endTime": ended}
        host = {"hostname": effort.hostname, "cpu": effort.cpu}
    return {"timing": timing, "hostinfo": host}


def _sample(
    row: Mapping[str, Any], numbers: list[float], seconds: float, image_scale: float, facts: MotionFacts
) -> dict[str, Any]:
    flow = {
        "similarity": numbers if row["valid"] else IDENTITY.tolist(),
        "center": [-facts.width / 2, -facts.height / 2],
        "fromFrame": row["from_frame"],
        "toFrame": row["to_frame"],
        "imgScale": image_scale,
        "flowScale": 1.0,
        "valid": row["valid"],
    }
    reason = {} if row["valid"] else {"reason": row["reason"]}
    return {"frameNumber": row["frame"], "durationSeconds": seconds, "opticalFlow": flow | reason}


def _check(samples: list[_Sample], frames: int, name: str) -> None:
    """What no single key shows: frames twice, beyond the video, or spans that go nowhere."""

    def refuse(sample: _Sample, problem: str) -> None:
        raise InputError("published_file", f"'{name}': frameStats: frame {sample.frame} {problem}.")

    before = 0
    for sample in samples:
        flow = sample.flow
        if sample.frame == before:
            refuse(sample, "is there more than once")
        if max(sample.frame, flow.to_frame - SPAN) > frames:
            refuse(sample, f"reaches beyond the last one, NumFrames {frames}")
        if flow.valid and not 1 <= flow.from_frame < min(flow.to_frame, frames):
            refuse(
                sample, f"goes from fromFrame {flow.from_frame} to toFrame {flow.to_frame}, which is no interval"
            )
        if flow.valid and flow.similarity[0] <= 0:
            refuse(sample, f"has a scale of {flow.similarity[0]}")
        before = sample.frame


def _size(flow: _Flow) -> tuple[int, int]:
    width, height = (max(1, min(round(abs(2 * half)), 1 << 20)) for half in flow.center)
    return width, height


def _samples_table(samples: list[_Sample], facts: MotionFacts, name: str) -> pa.Table:
    rows: list[dict[str, Any]] = []
    for sample, numbers in zip(samples, _numbers(samples, facts), strict=True):
        row = _row(sample, numbers, facts)
        if row["from_frame"] < row["to_frame"] and (not rows or row["from_frame"] > rows[-1]["from_frame"]):
            rows.append(row)
        elif row["valid"]:
            problem = f"frame {sample.frame} does not start after the sample before it"
            raise InputError("published_file", f"'{name}': frameStats: {problem}.")
        # else it says that nothing is known of frames of which nothing is said
    return pa.Table.from_pylist(rows, schema=SAMPLES)


def _numbers(samples: list[_Sample], facts: MotionFacts) -> list[list[float]]:
    """Similarities about our centre."""
    given = np.array([sample.flow.similarity for sample in samples]).reshape(-1, 4)
    centres = np.array([sample.flow.center for sample in samples]).reshape(-1, 2)
    middle = np.array([facts.width - 1, facts.height - 1]) / 2
    rows: list[list[float]] = about(given, centres + middle).tolist()
    return rows


def _row(sample: _Sample, numbers: list[float], facts: MotionFacts) -> dict[str, Any]:
    flow = sample.flow
    known = 0 < flow.from_frame < flow.to_frame
    first = flow.from_frame if known else max(1, sample.frame - SPAN // 2)
    last = min(flow.to_frame if known else sample.frame + SPAN // 2, facts.frames)
    row: dict[str, Any] = {"frame": sample.frame, "from_frame": first, "to_frame": last, "valid": flow.valid}
    if flow.valid:
        return {**row, **dict(zip(NUMBERS, numbers, strict=True)), "reason": ""}
    return {**row, "reason": flow.reason if flow.reason in _REASONS else "unknown"}
