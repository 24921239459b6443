"""How many images of each data set are labelled, kept up by the events that come."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock

from sqlalchemy import Connection

from cv_pipelines.annotations.store.classes import classes_of, have_retired
from cv_pipelines.annotations.store.shown import count_since
from cv_pipelines.catalog import Catalog
from cv_pipelines.database.engine import reading
from cv_pipelines.images.datasets import Dataset
from cv_pipelines.images.versions import MANIFEST
from cv_pipelines.storage.bundles import Reference
from cv_pipelines.web.labelling.uncounted import Uncounted

_Key = tuple[str, datetime]


@dataclass
class LabelledCounts:
    """Counts of this process; any other can make them again.

    Of each data set the events after the last one that was seen are looked at: their ids are in the order of
    commits within a data set, though not across all of them. Labels of retired classes alone, and of images that
    are gone, do not count. Only where there can be such are labels read: once for each version of the images, and
    when a class is retired or comes back.
    """

    catalog: Catalog
    _counts: dict[_Key, tuple[int, int]] = field(default_factory=dict)
    _uncounted: dict[_Key, Uncounted] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def of(self, datasets: Sequence[Dataset]) -> dict[str, int]:
        """How many images are labelled, by the name of the data set.

        Args:
            datasets: some hundred.
        """
        names = [one.name for one in datasets]
        manifests = self.catalog.currents(MANIFEST, names)
        changed = self.catalog.with_several(MANIFEST, names)
        with self._lock:
            with reading(self.catalog.database) as connection:
                known = self._all_labelled(connection, datasets)
                changed |= have_retired(connection, names)
            for one in datasets:
                if one.name in manifests and one.name in changed:
                    event, count = known[one.name]
                    known[one.name] = event, count - self._count_uncounted(one, manifests[one.name], event, count)
        return {name: count for name, (_, count) in known.items()}

    def _all_labelled(self, connection: Connection, datasets: Sequence[Dataset]) -> dict[str, tuple[int, int]]:
        """The newest event of each data set, and how many images have a label, whatever it says."""
        keys = {one.name: (one.name, one.created_at) for one in datasets}
        known = {name: self._counts.get(key, (0, 0)) for name, key in keys.items()}
        new = count_since(connection, {name: last for name, (last, _) in known.items()})
        for name, (last, more) in new.items():
            known[name] = self._counts[keys[name]] = (last, known[name][1] + more)
        return known

    def _count_uncounted(self, dataset: Dataset, manifest: Reference, event: int, labelled: int) -> int:
        key = (dataset.name, dataset.created_at)
        with reading(self.catalog.database) as connection:
            classes = classes_of(connection, dataset.name)
        found = self._uncounted.get(key)
        if found is None or not found.is_of(manifest, classes, event):
            found = Uncounted.read(self.catalog, dataset.name, manifest, classes, event, labelled)
            self._uncounted[key] = found
        found.catch_up(self.catalog.database, classes, event)
        return found.count
