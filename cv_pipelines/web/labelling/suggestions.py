"""What the champion suggests, taken over as labels of a model."""

from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, Engine, select

from cv_pipelines.annotations.annotation import Annotation
from cv_pipelines.annotations.store.content import content_of
from cv_pipelines.annotations.store.events import Author, Change, append, writing
from cv_pipelines.database.tables import forgotten_images
from cv_pipelines.web.image_index import Rows
from cv_pipelines.web.labelling.labelling import LabelledImages
from cv_pipelines.web.labelling.prediction_index import PredictionIndex
from cv_pipelines.web.labelling.said import NOTHING

AT_ONCE = 2_000
"""Labels of a request: some tenths of a second, in which nobody else can save."""
_READ = 500


@dataclass(frozen=True)
class Suggested:
    """Images without a label of which the champion is sure enough.

    Attributes:
        rows: of the images.
        numbers: of the classes that it sees in them.
        versions: of their labels, taken away or not there yet.
    """

    rows: Rows
    numbers: Rows
    versions: Rows

    def first(self, most: int) -> "Suggested":
        """Some of them."""
        return Suggested(self.rows[:most], self.numbers[:most], self.versions[:most])


def suggested(opened: LabelledImages, predictions: PredictionIndex, above: float, after: str = "") -> Suggested:
    """What could be taken over; hold the lock of the labels.

    Args:
        opened: the data set.
        predictions: of it.
        above: the least probability.
        after: an id that the images come after.
    """
    mask = predictions.at_least(above, opened.labels.by_name) & (opened.labels.said == NOTHING)
    start = opened.images.place_of(after) + int(opened.images.rows_of([after])[0] >= 0)
    rows = start + np.flatnonzero(mask[start:])
    numbers, versions = predictions.numbers(opened.labels.by_name)[rows], opened.labels.version[rows]
    return Suggested(rows, numbers.astype(np.int64), versions.astype(np.int64))


def take_over(database: Engine, opened: LabelledImages, model: str, some: Suggested, who: str) -> int:
    """Label images as a model suggests; what somebody has said of one since then stands. Returns how many.

    Args:
        database: where the events are.
        opened: the data set.
        model: its version.
        some: what is taken over.
        who: wants it.
    """
    ids = opened.images.ids_at(some.rows)
    values = zip(ids, some.numbers.tolist(), some.versions.tolist(), strict=True)
    with writing(database, opened.name) as connection:
        gone = _forgotten(connection, ids)
        changes = [
            Change(image_id, content_of(Annotation("", classes=(str(number),)), int), version)
            for image_id, number, version in values
            if image_id not in gone
        ]
        return append(connection, opened.name, changes, Author(who, "model", model)).events


def _forgotten(connection: Connection, image_ids: list[str]) -> set[str]:
    found = set[str]()
    for start in range(0, len(image_ids), _READ):
        some = forgotten_images.c.image_id.in_(image_ids[start : start + _READ])
        found.update(connection.scalars(select(forgotten_images.c.image_id).where(some)))
    return found
