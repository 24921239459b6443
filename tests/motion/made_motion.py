"""Tables of intervals of a camera whose motion is known exactly."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pyarrow as pa

from cv_pipelines.motion.intervals import INTERVALS, MotionFacts


@dataclass(frozen=True)
class Act:
    """So many seconds of one motion: widths, logarithm of scale and radians a second; or of nothing to be seen."""

    seconds: float
    vx: float = 0
    vy: float = 0
    zoom: float = 0
    roll: float = 0
    shake: float = 0
    hertz: float = 2
    reason: str = ""


def cut() -> Act:
    """The picture is another one from here on."""
    return Act(0, reason="cut")


def play(
    acts: Sequence[Act],
    rate: Fraction = Fraction(30),
    stride: int = 1,
    width: int = 1920,
    noise: float = 0,
    video: str = "made.mp4",
) -> pa.Table:
    """What a perfect analysis finds; with `noise` pixels of error an interval, the same for the same arguments."""
    ends = np.cumsum([act.seconds for act in acts])
    frames = int(ends[-1] * rate)
    first = np.arange(1, frames - stride + 1, stride)
    last = first + stride
    begin, end = ((numbers - 1) / float(rate) for numbers in (first, last))
    ways = _way(acts, end) - _way(acts, begin)
    ways[:, :2] += np.random.default_rng(frames + stride).normal(0, noise / width, (len(first), 2))
    reasons = _reasons(acts, begin, end)
    valid = reasons == ""
    facts = MotionFacts(video, width, width * 9 // 16, frames, rate, frames / rate, stride)
    columns = {
        "from_frame": first,
        "to_frame": last,
        "from_time": [str((int(number) - 1) / rate) for number in first],
        "to_time": [str((int(number) - 1) / rate) for number in last],
        "scale": pa.array(np.exp(ways[:, 2]), mask=~valid),
        "rotation": pa.array(ways[:, 3], mask=~valid),
        "tx": pa.array(ways[:, 0] * width, mask=~valid),
        "ty": pa.array(ways[:, 1] * width, mask=~valid),
        "inliers": pa.array(np.where(valid, 0.9, 0), mask=~valid),
        "residual": pa.array(np.where(valid, 0.1, 0), mask=~valid),
        "confidence": np.where(valid, 0.9, 0),
        "valid": valid,
        "reason": reasons.tolist(),
    }
    arrays = [pa.array(columns[field.name], field.type) for field in INTERVALS]
    return pa.table(arrays, schema=INTERVALS.with_metadata(facts.metadata()))


def _way(acts: Sequence[Act], moments: np.ndarray) -> np.ndarray:
    """Shape (n, 4): where the content has come to."""
    seconds = np.array([act.seconds for act in acts], float)
    shake, hertz = np.array([(act.shake, act.hertz) for act in acts]).T
    speeds = np.array([[act.vx, act.vy, act.zoom, act.roll] for act in acts], float)
    ends = np.cumsum(seconds)

    def within_act(place: np.ndarray, passed: np.ndarray) -> np.ndarray:
        way = passed[:, None] * speeds[place]
        way[:, 0] += shake[place] * np.sin(2 * np.pi * hertz[place] * passed)
        return way

    done = np.cumsum(within_act(np.arange(len(acts)), seconds), axis=0)
    now = np.minimum(np.searchsorted(ends, moments, side="right"), len(acts) - 1)
    passed = np.clip(moments - (ends - seconds)[now], 0, seconds[now])
    return np.vstack([np.zeros(4), done])[now] + within_act(now, passed)


def _reasons(acts: Sequence[Act], begin: np.ndarray, end: np.ndarray) -> np.ndarray:
    reasons, start = np.full(len(begin), "", object), 0.0
    for act in acts:
        if act.reason:
            reasons[(begin < start + max(act.seconds, 1e-6)) & (end > start + 1e-9)] = act.reason
        start += act.seconds
    return reasons
