"""How a camera moves over a whole video, as one picture."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from PIL import Image

from cv_pipelines.motion.intervals import facts_of
from cv_pipelines.motion.regions import frames_by_kind
from cv_pipelines.motion.track import Floats, Track, track_of
from cv_pipelines.reports.figures import small_png
from cv_pipelines.reports.kind_colours import GROUPS, colour_of, group_of, mark_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_FIRST, _SECOND, _GREY = "#1b1b1b", "#b03060", "#8a8f98"
_COLUMNS = 500
"""Of the plot: of more pieces, each column shows the least and the most of its own."""
_COLOURS = 64
_MINUTES = 180.0
_TINT = 0.25
_NARROWEST = 0.022
"""Share of the width that a mark needs."""
_LONGEST_NAME = 90


def timeline(intervals: pa.Table, regions: pa.Table) -> bytes:
    """Translation, scale, rotation and confidence over time, on the regions in colours; a PNG of at most 40 KB.

    Speeds are a second: widths of the picture, per cent of scale, degrees. Where nothing is known the curves have
    gaps. Few single values may leave the panel, so that they do not flatten all the others.

    Args:
        intervals: of the schema INTERVALS, with MotionFacts.
        regions: of the same video, of the schema REGIONS.

    Raises:
        InputError: the intervals are not in order or not within the video.
    """
    from matplotlib.figure import Figure

    facts = facts_of(intervals)
    track = track_of(intervals, facts)
    unit, divisor = ("minutes", 60.0) if track.seconds[-1] > _MINUTES else ("seconds", 1.0)
    moments = track.seconds / divisor
    figure = Figure(figsize=(9.6, 5.6), dpi=90)
    figure.set_layout_engine("constrained", hspace=0.02, h_pad=0.03, w_pad=0.08)
    strip, *panels = figure.subplots(5, 1, sharex=True, height_ratios=[0.45, 2.2, 1.2, 1.2, 0.8])
    _strip(strip, regions, track, moments)
    for axes in panels:
        _paint(axes, regions, track, moments, _TINT)
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelsize=8)
    speed = np.where(track.valid[:, None], track.motion / np.diff(track.seconds)[:, None], np.nan)
    _plot(panels[0], moments, {"to the right": speed[:, 0], "down": speed[:, 1]}, 0.05)
    _plot(panels[1], moments, {"scale": np.expm1(speed[:, 2]) * 100}, 5)
    _plot(panels[2], moments, {"roll": np.degrees(speed[:, 3])}, 2)
    _plot(panels[3], moments, {"confidence": _confidence(track, intervals)}, 0)
    for axes, label in zip(
        panels, ("shift\nwidths / s", "scale\n% / s", "roll\n° / s", "confidence"), strict=True
    ):
        axes.set_ylabel(label, fontsize=8)
    panels[0].legend(frameon=False, fontsize=8, loc="upper right", ncols=2)
    panels[-1].set_xlabel(unit, fontsize=8)
    panels[-1].set_xlim(0, moments[-1])
    strip.set_title(_title(facts.video), fontsize=9, loc="left")
    figure.align_ylabels(panels)
    _legend(figure, regions)
    # a median cut would give the little that the legend shows of a kind the colour of another
    return small_png(figure, _COLOURS, Image.Quantize.FASTOCTREE)


def _paint(axes: "Axes", regions: pa.Table, track: Track, moments: Floats, alpha: float) -> None:
    """The regions as a background; a cut is a line, however short it is."""
    starts, ends = _bounds(regions, track, moments)
    kinds = regions["kind"].to_pylist()
    spans = [(start, end - start) for start, end in zip(starts, ends, strict=True)]
    axes.broken_barh(
        spans,
        (0, 1),
        transform=axes.get_xaxis_transform(),
        facecolors=[colour_of(kind) for kind in kinds],
        edgecolors="none",
        alpha=alpha,
        zorder=0,
    )
    cuts = [start for start, kind in zip(starts, kinds, strict=True) if kind == "cut"]
    axes.vlines(cuts, 0, 1, transform=axes.get_xaxis_transform(), colors=GROUPS["cut"], linewidth=1, zorder=1)


def _strip(axes: "Axes", regions: pa.Table, track: Track, moments: Floats) -> None:
    """The regions in full colour, with the direction of those that have one, where there is room for it."""
    axes.set_axis_off()
    _paint(axes, regions, track, moments, 1.0)
    for start, end, kind in zip(*_bounds(regions, track, moments), regions["kind"].to_pylist(), strict=True):
        if (end - start) / moments[-1] > _NARROWEST:
            middle, mark = (start + end) / 2, mark_of(kind)
            across = axes.get_xaxis_transform()
            axes.text(middle, 0.46, mark, transform=across, ha="center", va="center", fontsize=7)


def _bounds(regions: pa.Table, track: Track, moments: Floats) -> tuple[list[float], list[float]]:
    """Start and end of each region on the axis of time."""
    starts = np.searchsorted(track.starts, regions["start_frame"].to_numpy(), "right") - 1
    ends = np.searchsorted(track.starts, regions["end_frame"].to_numpy(), "right")
    return moments[starts].tolist(), moments[ends].tolist()


def _plot(axes: "Axes", moments: Floats, curves: Mapping[str, Floats], least: float) -> None:
    """Curves over time; `least` is the smallest range to either side of 0, and 0 means from 0 to 1."""
    middle = (moments[:-1] + moments[1:]) / 2
    for (name, values), colour in zip(curves.items(), (_FIRST, _SECOND), strict=False):
        axes.plot(*_thinned(middle, values), color=colour, linewidth=0.8, label=name)
    axes.axhline(0, color=_GREY, linewidth=0.5, zorder=1)
    if least:
        sizes = np.abs(np.concatenate(list(curves.values())))
        known = sizes[np.isfinite(sizes)]
        reach = max(least, 1.2 * float(np.percentile(known, 99.7))) if len(known) else least
        axes.set_ylim(-reach, reach)
    else:
        axes.set_ylim(0, 1.05)


def _thinned(moments: Floats, values: Floats) -> tuple[Floats, Floats]:
    """The least and the most of each column of the plot, instead of more points than it can show."""
    if len(values) <= 2 * _COLUMNS:
        return moments, values
    columns = np.linspace(0, len(values), _COLUMNS + 1).astype(int)[:-1]
    gone = np.isnan(values)
    least = np.minimum.reduceat(np.where(gone, np.inf, values), columns)
    most = np.maximum.reduceat(np.where(gone, -np.inf, values), columns)
    both = np.stack([least, most], axis=1).ravel()
    return np.repeat(moments[columns], 2), np.where(np.isfinite(both), both, np.nan)


def _confidence(track: Track, intervals: pa.Table) -> Floats:
    if not len(intervals):
        return np.full(len(track.rows), np.nan)
    given = intervals["confidence"].to_numpy()[track.rows]
    return np.where(track.rows >= 0, given, np.nan)


def _legend(figure: "Figure", regions: pa.Table) -> None:
    """The groups that occur, each with its share of the frames."""
    from matplotlib.patches import Patch

    frames = frames_by_kind(regions)
    totals = {group: sum(n for kind, n in frames.items() if group_of(kind) == group) for group in GROUPS}
    whole = max(1, sum(totals.values()))
    handles = [
        Patch(color=GROUPS[group], label=f"{group} {_share(n / whole)}") for group, n in totals.items() if n
    ]
    if handles:
        layout = {"ncols": len(handles), "columnspacing": 1.2, "handlelength": 1.2, "handletextpad": 0.5}
        figure.legend(handles=handles, loc="outside lower center", frameon=False, fontsize=8, **layout)


def _share(part: float) -> str:
    return "< 1 %" if part < 0.01 else f"{part:.0%}".replace("%", " %")


def _title(video: str) -> str:
    """The end of a long address tells more than its beginning; a dollar sign is not mathematics."""
    name = video if len(video) <= _LONGEST_NAME else f"…{video[1 - _LONGEST_NAME :]}"
    return "".join(sign if sign.isprintable() else "\ufffd" for sign in name).replace("$", r"\$")
