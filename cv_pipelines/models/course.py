"""The course of a training: what is kept, when it stops, when it is saved."""

import math
import time
from typing import Any

import keras

from cv_pipelines.models.checkpoints import Checkpoints
from cv_pipelines.models.history import History, Listener, best_epoch, is_over


class Course(keras.callbacks.Callback):  # type: ignore[misc]  # keras has no types
    """Keeps the history and the best weights, stops early, and saves now and then.

    Everything it decides follows from the history, so a resumed training decides the same.

    Args:
        history: epochs before a restart.
        best: best weights before a restart.
        patience: epochs without a lower validation loss before stopping.
        checkpoints: where to save.
        report: told of all finished epochs, after each.
        save_every: seconds between checkpoints: what a kill can cost.
    """

    def __init__(
        self,
        history: History,
        best: list[Any],
        patience: int,
        checkpoints: Checkpoints,
        report: Listener,
        save_every: float = 15.0,
    ) -> None:
        super().__init__()
        self.history, self.best = list(history), best
        self.seconds: list[float] = []
        self._patience, self._checkpoints, self._report = patience, checkpoints, report
        self._save_every, self._saved = save_every, -math.inf  # the first epoch is saved at once
        self._started = 0.0

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Start the epoch's clock."""
        self._started = time.perf_counter()

    def on_test_begin(self, logs: dict[str, float] | None = None) -> None:
        """Validation begins where training ends: stop the clock."""
        self.seconds.append(time.perf_counter() - self._started)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Record, then decide."""
        self.history.append({name: float(value) for name, value in (logs or {}).items()})
        if best_epoch(self.history) == len(self.history) - 1:
            self.best = self.model.get_weights()
        self._report(self.history)
        self.model.stop_training = is_over(self.history, self._patience)
        if time.monotonic() - self._saved >= self._save_every:
            self._checkpoints.save(self.history, self.model, self.best)
            self._saved = time.monotonic()
