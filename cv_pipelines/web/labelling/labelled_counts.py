"""How many images of each data set are labelled, kept up by the events that come."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock

from sqlalchemy import Connection

from cv_pipelines.annotations.store.shown import count_since
from cv_pipelines.images.datasets import Dataset


@dataclass
class LabelledCounts:
    """Counts of this process; any other can make them again.

    Of each data set the events after the last one that was seen are looked at: their ids are in the order of
    commits within a data set, though not across all of them.
    """

    _counts: dict[tuple[str, datetime], tuple[int, int]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def of(self, connection: Connection, datasets: Sequence[Dataset]) -> dict[str, int]:
        """How many images are labelled, by the name of the data set.

        Args:
            connection: to read from.
            datasets: some hundred.
        """
        with self._lock:
            keys = {one.name: (one.name, one.created_at) for one in datasets}
            known = {name: self._counts.get(key, (0, 0)) for name, key in keys.items()}
            new = count_since(connection, {name: last for name, (last, _) in known.items()})
            for name, (last, more) in new.items():
                known[name] = (last, known[name][1] + more)
                self._counts[keys[name]] = known[name]
            return {name: count for name, (_, count) in known.items()}
