"""Several strategies share a queue: each has its part, and all of them the limits of a day and of a class."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cv_pipelines.active_learning.parameters import QueueParameters
from cv_pipelines.active_learning.pool import Pool, Predictions
from cv_pipelines.active_learning.strategies import in_order


@dataclass(frozen=True, slots=True)
class Pick:
    """An image that is asked for: its row in the pool, by which strategy, what score it has there, and why."""

    row: int
    strategy: str
    score: float
    reason: str


@dataclass
class Limits:
    """How many images may still be asked for.

    Attributes:
        left_today: images that no queue of the day has asked for; None: any number.
        asked_today: rows that one has asked for, and which count no more: (n,).
        per_class: images of one predicted class; None: any number.
    """

    left_today: int | None = None
    asked_today: NDArray[np.bool_] | None = None
    per_class: int | None = None
    _classes: Counter[str] = field(default_factory=Counter)

    def take(self, row: int, pool: Pool, eligible: NDArray[np.bool_]) -> None:
        """Count a row that is asked for; what nothing is left for is no longer eligible."""
        eligible[row] = False
        if pool.predictions is not None and self.per_class is not None:
            name = pool.predictions.classes[row]
            self._classes[name] += 1
            if self._classes[name] >= self.per_class:
                eligible &= pool.predictions.classes != name
        if self.left_today is not None and not (self.asked_today is not None and self.asked_today[row]):
            self.left_today -= 1
            self.end_of_day(eligible)

    def end_of_day(self, eligible: NDArray[np.bool_]) -> None:
        """Once nothing is left, only what was asked for today may be asked for."""
        if self.left_today is not None and self.left_today <= 0:
            eligible &= self.asked_today if self.asked_today is not None else False


def select(pool: Pool, parameters: QueueParameters, limits: Limits) -> list[Pick]:
    """The queue: no image twice, strategies taking turns as their shares have it.

    What a strategy does not find is left to those after it.

    Args:
        pool: of the images that may be asked for.
        parameters: what a person has set; strategies that the pool has no data for raise errors.
        limits: of the day and of classes; used up.

    Raises:
        InputError: see strategies.in_order.
    """
    eligible = np.ones(len(pool.image_ids), np.bool_)
    limits.end_of_day(eligible)
    picks: list[tuple[float, Pick]] = []
    missing = 0
    for name, part in parts_of(parameters.strategies, parameters.size).items():
        wanted, found = part + missing, 0
        if wanted:
            for row, score in in_order(name, pool, parameters, eligible, [one.row for _, one in picks]):
                limits.take(row, pool, eligible)
                found += 1
                turn = (found - 0.5) / wanted
                picks.append((turn, Pick(row, name, score, reason_for(name, row, score, pool, parameters))))
                if found == wanted:
                    break
        missing = wanted - found
    return [one for _, one in sorted(picks, key=lambda pair: pair[0])]


def parts_of(shares: Mapping[str, float], size: int) -> dict[str, int]:
    """Whole numbers that add up to a size, as near to the shares as can be: by the largest remainders."""
    total = sum(shares.values())
    exact = {name: share / total * size for name, share in shares.items()}
    parts = {name: int(value) for name, value in exact.items()}
    by_remainder = sorted(exact, key=lambda name: parts[name] - exact[name])
    for name in by_remainder[: size - sum(parts.values())]:
        parts[name] += 1
    return parts


def reason_for(name: str, row: int, score: float, pool: Pool, parameters: QueueParameters) -> str:
    """Why an image is asked for, in words."""
    seen = pool.predictions
    if name == "random":
        return f"drawn by lot (seed {parameters.seed})"
    if name == "diverse":
        return f"{score:.2f} away from what is labelled or asked for"
    if name == "detections_number_based" and pool.detections is not None:
        return f"{pool.detections[row]:,} objects detected"
    return _of_prediction(name, row, score, seen, parameters) if seen is not None else ""


def _of_prediction(name: str, row: int, score: float, seen: Predictions, parameters: QueueParameters) -> str:
    said = f"'{seen.classes[row]}' with {seen.probability[row]:.2f}"
    if name == "margin":
        return f"{said}, only {1 - score:.2f} ahead of the next class"
    if name == "entropy":
        return f"{said}; {score:.2f} nats over all classes"
    if name == "close_to_threshold":
        return f"{said}, near {parameters.threshold:.2f}"
    return said
