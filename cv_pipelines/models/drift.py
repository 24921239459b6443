"""Drift: how far the images and predictions of today are from what a model was trained on."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cv_pipelines.images.statistics import STATISTICS

if TYPE_CHECKING:
    import pandas as pd

LIMIT = 0.2
"""A population stability index above it is taken for a shift (0.1 to 0.2: watch)."""
ENOUGH = 50
"""Fewer images than this say nothing."""
_BINS = 10


def stability_index(expected: NDArray[np.float64], found: NDArray[np.float64]) -> float:
    """The population stability index of two histograms over the same bins (Siddiqi, 2006).

    Args:
        expected: counts by bin, of the reference.
        found: counts by bin, of today. Half a count is added to each bin of both, so that an empty
            one does not make the index infinite.
    """
    shares = [(counts + 0.5) / (counts.sum() + 0.5 * len(counts)) for counts in (expected, found)]
    return float(((shares[1] - shares[0]) * np.log(shares[1] / shares[0])).sum())


def profile(images: "pd.DataFrame", classes: Sequence[str], predicted: Sequence[str]) -> dict[str, Any]:
    """What a model was trained on, small enough for its card.

    Args:
        images: the training images' statistics, one column each of STATISTICS.
        classes: names of the classes.
        predicted: the class that the model gives each image.

    Returns:
        By statistic, the inner edges of ten bins of equal count and their counts; counts by class.
    """
    statistics: dict[str, Any] = {}
    for name in STATISTICS:
        values = images[name].to_numpy(np.float64)
        edges = np.unique(np.quantile(values, np.linspace(0, 1, _BINS + 1)[1:-1]))
        statistics[name] = {"edges": edges.tolist(), "counts": _histogram(values, edges).tolist()}
    counts = Counter(predicted)
    return {"statistics": statistics, "classes": {name: counts[name] for name in classes}}


def drift(reference: Mapping[str, Any], images: "pd.DataFrame", predicted: Sequence[str]) -> dict[str, float]:
    """The stability index of every statistic and of the predicted classes against a profile.

    Args:
        reference: as `profile` gives it.
        images: statistics of today's images.
        predicted: the class that the model gives each of them.
    """
    found = {}
    for name, bins in reference["statistics"].items():
        counts = _histogram(images[name].to_numpy(np.float64), np.array(bins["edges"]))
        found[name] = round(stability_index(np.array(bins["counts"], float), counts), 4)
    classes = reference["classes"]
    today = Counter(predicted)
    counts = np.array([today[name] for name in classes], float)
    found["predictions"] = round(stability_index(np.array(list(classes.values()), float), counts), 4)
    return found


def _histogram(values: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.bincount(np.searchsorted(edges, values, side="right"), minlength=len(edges) + 1).astype(float)
