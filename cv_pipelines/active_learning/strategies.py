"""Strategies: which of some images to ask for first. Pure functions; four are named as Roboflow names them.

Each gives every image of a pool a score, (n,): the higher, the sooner; NaN where it asks for it never.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from cv_pipelines.active_learning.core_set import farthest_first
from cv_pipelines.active_learning.parameters import QueueParameters
from cv_pipelines.active_learning.pool import Pool, Predictions
from cv_pipelines.errors import InputError

Scores = NDArray[np.float64]
Mask = NDArray[np.bool_]
MOST_COMPARED = 100_000
"""Images that `diverse` looks at, drawn by lot from more: each that it takes is compared with all of them."""


def random(pool: Pool, parameters: QueueParameters) -> Scores:
    """Whatever comes: what the others ask for is no fair sample of the data set, this is."""
    return pool.lots


def close_to_threshold(pool: Pool, parameters: QueueParameters) -> Scores:
    """Those whose probability is near a threshold, the nearest first; of some predicted classes only, perhaps."""
    seen = _predictions(pool)
    distance = np.abs(seen.probability.astype(np.float64) - parameters.threshold)
    near = distance <= parameters.within
    if parameters.classes:
        near &= np.isin(seen.classes, parameters.classes)
    return np.where(near, 1 - distance, np.nan)


def classes_based(pool: Pool, parameters: QueueParameters) -> Scores:
    """Those that are predicted to be of some classes, drawn by lot."""
    if not parameters.classes:
        raise InputError("no_classes", "The strategy 'classes_based' wants to know which classes: set 'classes'.")
    return np.where(np.isin(_predictions(pool).classes, parameters.classes), 1.0, np.nan)


def detections_number_based(pool: Pool, parameters: QueueParameters) -> Scores:
    """Those on which a detector has seen from `fewest` to `most` objects, drawn by lot."""
    if pool.detections is None:
        message = "The strategy 'detections_number_based' needs detections: 'cv-pipelines detections import'."
        raise InputError("no_detections", message)
    fits = (pool.detections >= parameters.fewest) & (pool.detections <= parameters.most)
    return np.where(fits, 1.0, np.nan)


def entropy(pool: Pool, parameters: QueueParameters) -> Scores:
    """Those that the model spreads its belief over, by the entropy of all classes (C. E. Shannon, 1948)."""
    return _predictions(pool).entropy.astype(np.float64)


def margin(pool: Pool, parameters: QueueParameters) -> Scores:
    """Those of which the model hesitates between two classes (T. Scheffer and others, 2001).

    The score is one less the difference of the two largest probabilities.
    """
    seen = _predictions(pool)
    if seen.second is None:
        message = "The predictions are of an earlier release and have no second class: make them again."
        raise InputError("old_predictions", message)
    return 1 - (seen.probability.astype(np.float64) - seen.second)


SCORED: dict[str, Callable[[Pool, QueueParameters], Scores]] = {
    "random": random,
    "close_to_threshold": close_to_threshold,
    "classes_based": classes_based,
    "detections_number_based": detections_number_based,
    "entropy": entropy,
    "margin": margin,
}


def in_order(
    name: str, pool: Pool, parameters: QueueParameters, eligible: Mask, taken: Sequence[int] = ()
) -> Iterator[tuple[int, float]]:
    """Rows of a pool in the order in which a strategy asks for them, with their scores.

    Args:
        name: of a strategy.
        pool: the images.
        parameters: what a person has set.
        eligible: (n,); whoever takes a row, or wants no more of some kind, says so here.
        taken: rows that other strategies have asked for already.

    Raises:
        InputError: the strategy needs what the pool does not have, or parameters that are not set.
    """
    if name == "diverse":
        yield from _diverse(pool, eligible, taken)
        return
    scores = SCORED[name](pool, parameters)
    rows = np.lexsort((pool.lots, -scores))  # NaN comes last
    for row in rows[: np.count_nonzero(~np.isnan(scores))].tolist():
        if eligible[row]:
            yield row, float(scores[row])


def _diverse(pool: Pool, eligible: Mask, taken: Sequence[int]) -> Iterator[tuple[int, float]]:
    """Those that are least like all that is labelled or was taken: see farthest_first."""
    if pool.vectors is None:
        raise InputError("no_embeddings", "The strategy 'diverse' needs embeddings: run the data set again.")
    asked = pool.vectors[list(taken)]
    centres = np.concatenate([pool.labelled, asked]) if len(pool.labelled) else asked
    drawn = np.sort(np.argsort(pool.lots, kind="stable")[:MOST_COMPARED])
    still = eligible[drawn]
    for place, distance in farthest_first(pool.vectors[drawn], centres, still, pool.lots[drawn]):
        yield int(drawn[place]), distance
        still &= eligible[drawn]


def _predictions(pool: Pool) -> Predictions:
    if pool.predictions is None:
        raise InputError(
            "no_predictions", "This strategy needs predictions of a champion: run the data set first."
        )
    return pool.predictions
