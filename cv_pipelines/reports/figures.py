"""Plots as PNG, small enough for the event log."""

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from cv_pipelines.images.contact_sheet import MAX_BYTES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_BLUE, _LIGHT, _ORANGE, _GREY = "#2f6f9f", "#bcd4e6", "#d9822b", "#8a8f98"
_MOST_NAMES = 40
_LONGEST_NAME = 24
Curve = tuple[Sequence[float], Sequence[float]]


def class_histogram(counts: Mapping[str, int]) -> bytes:
    """Images of each class, as bars."""
    figure, (axes,) = _figure(1, max(3.5, min(9.0, 0.35 * len(counts) + 1.5)), 2.6)
    axes.bar(range(len(counts)), list(counts.values()), color=_BLUE)
    _name_ticks(axes, list(counts), "x")
    axes.set_ylabel("images")
    return small_png(figure)


def training_curves(history: Sequence[Mapping[str, float]]) -> bytes:
    """Loss and accuracy by epoch, of training and validation."""
    figure, panels = _figure(2, 7.0, 2.6)
    epochs = range(1, len(history) + 1)
    for axes, name in zip(panels, ("loss", "accuracy"), strict=True):
        axes.plot(epochs, [entry[name] for entry in history], color=_GREY, label="training")
        axes.plot(epochs, [entry[f"val_{name}"] for entry in history], color=_BLUE, label="validation")
        axes.set_xlabel("epoch")
        axes.set_title(name, fontsize=10)
    panels[0].legend(frameon=False, fontsize=8)
    return small_png(figure)


def confusion_matrix(classes: Sequence[str], counts: Sequence[Sequence[int]]) -> bytes:
    """True classes in rows, predicted ones in columns; colour is the share of the true class."""
    matrix = np.asarray(counts, float).reshape(len(classes), len(classes))
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    longest = max((len(_short(name)) for name in classes), default=0)
    side = max(3.2, min(8.0, 0.32 * len(classes) + 1.6)) + 0.06 * longest
    figure, (axes,) = _figure(1, side, side)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    if len(classes) <= 20:
        for row, column in zip(*np.nonzero(matrix), strict=True):
            colour = "white" if shares[row, column] > 0.5 else "black"
            number = f"{matrix[row, column]:.0f}"
            axes.text(column, row, number, ha="center", va="center", fontsize=7, color=colour)
    _name_ticks(axes, classes, "x")
    _name_ticks(axes, classes, "y")
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    return small_png(figure)


def round_curves(labelled: Sequence[int], curves: Mapping[str, Sequence[float]]) -> bytes:
    """What models were worth, by the number of labels that they had.

    Args:
        labelled: of each model, in the order of their rounds: (n,).
        curves: by the name of a figure, one value each: (n,).
    """
    figure, (axes,) = _figure(1, 4.6, 2.8)
    for colour, (name, values) in zip((_BLUE, _ORANGE, _GREY), curves.items(), strict=False):
        axes.plot(labelled, values, color=colour, marker="o", markersize=4, label=name)
    axes.set_xlabel("labelled images")
    axes.legend(frameon=False, fontsize=8)
    return small_png(figure)


def reliability(bins: Sequence[Mapping[str, Any]]) -> bytes:
    """Stated confidence against what was right: on the diagonal, a model can be believed."""
    figure, (axes,) = _figure(1, 3.2, 3.0)
    axes.plot([0, 1], [0, 1], color=_GREY, linewidth=1, linestyle="--")
    x, y = [b["confidence"] for b in bins], [b["accuracy"] for b in bins]
    axes.plot(x, y, color=_BLUE, marker="o", markersize=4)
    axes.set_xlabel("confidence")
    axes.set_ylabel("accuracy")
    return small_png(figure)


def drift_bars(indices: Mapping[str, float], limit: float) -> bytes:
    """The stability index of each quantity, against the limit."""
    figure, (axes,) = _figure(1, 5.0, 2.4)
    colours = [_ORANGE if value > limit else _BLUE for value in indices.values()]
    axes.barh(range(len(indices)), list(indices.values()), color=colours)
    axes.axvline(limit, color=_GREY, linewidth=1, linestyle="--")
    _name_ticks(axes, list(indices), "y")
    axes.set_xlabel("population stability index")
    return small_png(figure)


def detection_figure(curves: Mapping[str, Curve], classes: Sequence[Mapping[str, Any]]) -> bytes:
    """Precision against recall of some classes, and the average precision of all.

    Args:
        curves: of at most ten classes: recall and precision, (n,) each.
        classes: with the keys `class`, `AP` and `AP50`, which may be None; the first 40 are shown.
    """
    shown = list(reversed(classes[:_MOST_NAMES]))
    figure, (left, right) = _figure(2, 8.4, max(2.8, min(7.0, 0.2 * len(shown) + 1)))
    for place, (name, (recall, precision)) in enumerate(curves.items()):
        left.plot(recall, precision, color=f"C{place}", linewidth=1.4, label=_plain(name))
    left.set(xlim=(0, 1.02), ylim=(0, 1.05), xlabel="recall", ylabel="precision at IoU 0.5")
    if curves:
        left.legend(frameon=False, fontsize=7, loc="lower left")
    for name, colour, height in (("AP50", _LIGHT, 0.8), ("AP", _BLUE, 0.45)):
        values = [one[name] or 0 for one in shown]
        right.barh(range(len(shown)), values, height=height, color=colour, label=name)
    _name_ticks(right, [one["class"] for one in shown], "y")
    right.set(xlim=(0, 1.02), xlabel="average precision")
    if shown:
        figure.legend(
            *right.get_legend_handles_labels(), frameon=False, fontsize=7, loc="outside upper right", ncols=2
        )
    return small_png(figure)


def _figure(panels: int, width: float, height: float) -> "tuple[Figure, list[Axes]]":
    """A figure without pyplot: no display, no state shared between threads."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=90, layout="constrained")
    axes = [figure.add_subplot(1, panels, place + 1) for place in range(panels)]
    for one in axes:
        one.spines[["top", "right"]].set_visible(False)
        one.tick_params(labelsize=8)
    return figure, axes


def _name_ticks(axes: "Axes", names: Sequence[str], which: str) -> None:
    """Names along an axis, thinned out where there are too many to read."""
    places = range(0, len(names), -(-len(names) // _MOST_NAMES) or 1)
    labels = [_plain(names[place]) for place in places]
    if which == "x":
        longest = max((len(label) for label in labels), default=0)
        axes.set_xticks(places, labels, rotation=90 if longest > 3 else 0)
    else:
        axes.set_yticks(places, labels)


def _plain(name: str) -> str:
    """A name as matplotlib shows it: a dollar sign is not mathematics."""
    return _short(name).replace("$", r"\$")


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"


def small_png(figure: "Figure", colours: int = 48, method: Image.Quantize = Image.Quantize.MEDIANCUT) -> bytes:
    """The figure in few colours, as sharp as MAX_BYTES allow."""
    for dpi in (90, 75, 60, 45, 30):
        drawn = io.BytesIO()
        figure.savefig(drawn, format="png", dpi=dpi)
        small = io.BytesIO()
        Image.open(drawn).convert("RGB").quantize(colours, method).save(small, "PNG", optimize=True)
        if small.tell() <= MAX_BYTES:
            break
    return small.getvalue()
