"""The figures of a training's epochs, and which of them was the best."""

import math
from collections.abc import Callable

History = list[dict[str, float]]
"""One entry an epoch: loss, accuracy, val_loss, val_accuracy."""
Listener = Callable[[History], None]
"""Told of a history after each epoch; must not change it."""


def deaf(history: History) -> None:
    """The listener of those who do not listen."""


def best_epoch(history: History) -> int:
    """Index of the epoch with the lowest validation loss; the first of equals, never one that is no number."""
    losses = _losses(history)
    return losses.index(min(losses))


def lowest_loss(history: History) -> float:
    """The validation loss of the best epoch; infinite where it never was a number."""
    return min(_losses(history))


def is_over(history: History, patience: int) -> bool:
    """Say whether `patience` epochs have passed since the best one."""
    return bool(history) and len(history) - 1 - best_epoch(history) >= patience


def _losses(history: History) -> list[float]:
    return [math.inf if math.isnan(entry["val_loss"]) else entry["val_loss"] for entry in history]
