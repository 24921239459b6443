"""Figures about predictions: pure functions of arrays.

Throughout, `truth` and `predicted` are class indices (n,), `probabilities` is (n, classes).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]
_RESAMPLES = 10_000
_BINS = 10


def bootstrap_interval(differences: Indices, seed: int = 0) -> tuple[float, float]:
    """The 95 % percentile interval of the mean of small integers (Efron, 1979).

    Drawing n of n values with replacement only draws how often each value comes up, so resamples
    are draws from a multinomial distribution: exact, and without (resamples x n) memory.
    """
    values, counts = np.unique(differences, return_counts=True)
    total = int(counts.sum())
    draws = np.random.default_rng(seed).multinomial(total, counts / total, size=_RESAMPLES)
    low, high = np.quantile(draws @ values / total, [0.025, 0.975])
    return float(low), float(high)


def calibration(truth: Indices, probabilities: NDArray[np.float64]) -> dict[str, Any]:
    """How far stated probabilities can be believed.

    Returns:
        `error`: expected calibration error (Naeini et al., 2015) over ten bins of equal width;
        `bins`: for each bin that is not empty, its mean `confidence`, `accuracy` and `count`.
    """
    confidence = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == truth
    which = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    bins = [
        {
            "confidence": float(confidence[which == index].mean()),
            "accuracy": float(correct[which == index].mean()),
            "count": int((which == index).sum()),
        }
        for index in np.unique(which)
    ]
    error = sum(abs(b["confidence"] - b["accuracy"]) * b["count"] for b in bins) / len(truth)
    return {"error": error, "bins": bins}


def per_class(truth: Indices, predicted: Indices, classes: Sequence[str]) -> dict[str, dict[str, float]]:
    """Precision, recall, F1 and number of images of each class; 0 where a class is never predicted."""
    from sklearn.metrics import precision_recall_fscore_support

    indices = list(range(len(classes)))
    rows = precision_recall_fscore_support(truth, predicted, labels=indices, zero_division=0.0)
    names = ("precision", "recall", "f1", "images")
    return {
        name: dict(zip(names, (float(row[index]) for row in rows), strict=True))
        for index, name in enumerate(classes)
    }


def confusion(truth: Indices, predicted: Indices, classes: Sequence[str]) -> list[list[int]]:
    """Counts by true class (rows) and predicted class (columns)."""
    from sklearn.metrics import confusion_matrix

    matrix = confusion_matrix(truth, predicted, labels=list(range(len(classes))))
    return [[int(count) for count in row] for row in matrix]


def slices(
    correct: NDArray[np.bool_], groups: Mapping[str, NDArray[np.str_]]
) -> dict[str, dict[str, dict[str, float]]]:
    """The share of correct answers in parts of the data: within a class, that is its recall.

    Args:
        correct: (n,).
        groups: by the name of a division, the part that each image belongs to, (n,).
    """
    return {
        division: {
            str(part): {"images": int((parts == part).sum()), "recall": float(correct[parts == part].mean())}
            for part in np.unique(parts)
        }
        for division, parts in groups.items()
    }


def slice_rows(slices: Mapping[str, Mapping[str, Mapping[str, float]]]) -> list[dict[str, Any]]:
    """Slices as rows for a table: the smallest recall first."""
    rows = [
        {"division": division, "part": part, "images": figures["images"], "recall": round(figures["recall"], 4)}
        for division, parts in slices.items()
        for part, figures in parts.items()
    ]
    return sorted(rows, key=lambda row: float(row["recall"]))


def size_thirds(widths: NDArray[np.integer], heights: NDArray[np.integer]) -> NDArray[np.str_]:
    """Small, medium or large: the third of the data that an image's area falls into."""
    areas = widths.astype(np.int64) * heights
    lower, upper = np.quantile(areas, [1 / 3, 2 / 3])
    return np.select([areas <= lower, areas <= upper], ["small", "medium"], "large")
