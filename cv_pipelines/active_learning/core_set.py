"""The core-set: images that together are near all others, found greedily as k centres.

O. Sener and S. Savarese, Active Learning for Convolutional Neural Networks: A Core-Set Approach, ICLR 2018.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from cv_pipelines.models.similarity import Vectors, cosines_to_nearest

MOST_CENTRES = 10_000
"""Of what is labelled so many are looked at: each costs a comparison with every image."""
FARTHEST = 2.0
"""One less the smallest cosine."""


def farthest_first(
    vectors: Vectors, centres: Vectors, eligible: NDArray[np.bool_], lots: NDArray[np.float64]
) -> Iterator[tuple[int, float]]:
    """Again and again the image that is farthest from its nearest centre, which makes it a centre, too.

    The distance is one less the cosine: for vectors of length 1 it orders as Euclid's does. Memory: one number
    for each image, and blocks.

    Args:
        vectors: of the images, of length 1: (n, width).
        centres: where it begins: (k, width); with none, the smallest lot comes first.
        eligible: which images may be taken now, (n,); whoever takes one says so here.
        lots: of the images, (n,): the smaller one comes first where distances are the same.

    Yields:
        Row and distance, until nothing is eligible.
    """
    by_lot = np.argsort(lots, kind="stable")
    distances = np.full(len(vectors), FARTHEST, np.float32)
    if len(centres):
        distances = 1 - cosines_to_nearest(vectors, _some(centres))
    while eligible.any():
        row = int(by_lot[np.where(eligible, distances, -1)[by_lot].argmax()])
        yield row, float(distances[row])
        np.minimum(distances, 1 - cosines_to_nearest(vectors, vectors[row : row + 1]), out=distances)


def _some(centres: Vectors) -> Vectors:
    """All of them, or MOST_CENTRES taken evenly."""
    step = max(1.0, len(centres) / MOST_CENTRES)
    return centres[(np.arange(min(len(centres), MOST_CENTRES)) * step).astype(np.int64)]
