"""The published rule for regions, as it is: for comparison with the archive that it was made for.

Marburg, Crone, Knuth: CamHD motion metadata, doi:10.5281/zenodo.834740. A sample is static where the picture moves
by less than 10 pixels and 0.01 of scale in its ten frames; static samples that follow each other without a gap are
a static region, unless there is but one; what lies between two static regions is named by its means. So these
regions overlap by a sample or leave ten frames out between them, do not reach the ends of the video, and know no
cut. Pixels are those of the video: the rule was made for 1920 of them, at 29.97 frames a second.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cv_pipelines.motion.intervals import MotionFacts, facts_of
from cv_pipelines.motion.kinds import Kind
from cv_pipelines.motion.published.samples import SPAN, numbers_of, samples_of
from cv_pipelines.motion.regions import REGIONS

_STATIC_SQUARE, _STATIC_SCALE = 100.0, 0.01
_GAP = SPAN * 1.01
_ZOOM_IN, _ZOOM_OUT = 1.05, 0.95
_PAN = 10.0
_NORTH_SOUTH = {1: "N", -1: "S", 0: ""}
_WEST_EAST = {1: "W", -1: "E", 0: ""}


@dataclass(frozen=True)
class _Samples:
    frames: NDArray[np.int64]
    numbers: NDArray[np.float64]


def published_regions(intervals: pa.Table) -> pa.Table:
    """The regions of a table of intervals of 1, 2, 5 or 10 frames by the published rule; see `regions_of_samples`.

    Raises:
        InputError: the intervals are of another stride.
    """
    return regions_of_samples(samples_of(intervals), facts_of(intervals))


def regions_of_samples(samples: pa.Table, facts: MotionFacts) -> pa.Table:
    """The regions of samples of ten frames by the published rule.

    Returns:
        a table with the columns of REGIONS, in the order of start frames; `start_frame` and `end_frame` are the
        frames of samples. The means are arithmetic, over the samples from the first up to, not including, the last
        frame, and `size` is how many these are. A kind of `unknown` is motion below all bounds. There is no path,
        no confidence, and no share of invalid frames: the rule skips them.
    """
    valid = samples.filter(samples["valid"])
    known = _Samples(valid["frame"].to_numpy().astype(np.int64), numbers_of(valid))
    static = _static(known)
    moving = [(before[1] + SPAN, after[0]) for before, after in pairwise(static)]
    rows = [_region(known, bounds, "static", facts) for bounds in static]
    rows += [_region(known, bounds, None, facts) for bounds in moving]
    rows.sort(key=lambda row: (row["start_frame"], row["end_frame"]))
    return pa.Table.from_pylist(rows, schema=REGIONS.with_metadata(facts.metadata()))


def _static(samples: _Samples) -> list[tuple[int, int]]:
    """First and last sample of each static region."""
    scale, _, tx, ty = samples.numbers.T
    still = samples.frames[(tx**2 + ty**2 < _STATIC_SQUARE) & (np.abs(scale - 1) < _STATIC_SCALE)]
    groups = np.split(still, np.flatnonzero(np.diff(still) > _GAP) + 1)
    return [(int(group[0]), int(group[-1])) for group in groups if len(group) > 1]


def _region(
    samples: _Samples, bounds: tuple[int, int], kind: Kind | None, facts: MotionFacts
) -> dict[str, object]:
    first, last = np.searchsorted(samples.frames, bounds)
    size = max(0, int(last - first))
    means = samples.numbers[first:last].mean(axis=0).tolist() if size else [None] * 4
    start, end = bounds
    return {
        "start_frame": start,
        "end_frame": end,
        "start_time": str((start - 1) / facts.rate),
        "end_time": str(end / facts.rate),
        "kind": kind or (_kind(*means) if size else "unknown"),
        **dict(zip(("scale_mean", "rotation_mean", "tx_mean", "ty_mean"), means, strict=True)),
        "size": size,
    }


def _kind(scale: float, rotation: float, tx: float, ty: float) -> str:
    """A direction comes before a zoom."""
    vertical, horizontal = (int(way > _PAN) - int(way < -_PAN) for way in (ty, tx))
    if vertical or horizontal:
        return f"pan_{_NORTH_SOUTH[vertical]}{_WEST_EAST[horizontal]}"
    return "zoom_in" if scale > _ZOOM_IN else "zoom_out" if scale < _ZOOM_OUT else "unknown"
