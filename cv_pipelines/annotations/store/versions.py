"""Which labels a data set has at one moment: a hash of all of them, from an earlier one and what is new.

Images are a set, so the hash is one of sets: the sum of their digests modulo 2²⁵⁶ (M. Bellare and D. Micciancio,
A New Paradigm for Collision-Free Hashing: Incrementality at Reduced Cost, 1997). It tells versions apart; it is no
seal against somebody who makes labels up to meet it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, func, select

from cv_pipelines.annotations.store.classes import classes_of, last_class_event
from cv_pipelines.annotations.store.events import page
from cv_pipelines.database.label_tables import label_events
from cv_pipelines.hashing import VERSION_LENGTH, hash_values

_MODULUS = 1 << 256


@dataclass(frozen=True)
class LabelState:
    """The labels of a data set at one moment.

    Attributes:
        event: id of the newest event of an image, 0 before the first.
        class_event: id of the newest event of a class, likewise.
        total: the sum of the digests of all images' labels.
        version: of the labels: the same for the same labels and classes, whatever came in between.
    """

    event: int
    class_event: int
    total: int
    version: str


def state_of(connection: Connection, dataset: str, since: LabelState | None = None) -> LabelState:
    """What stands now.

    Args:
        connection: of store.events.writing, or of one who has seen to it that nobody adds events.
        dataset: the data set.
        since: an earlier state of it: only what is new is looked at.
    """
    event, class_event = last_event(connection, dataset), last_class_event(connection, dataset)
    if since is None or since.event > event:  # ahead of us: this database was restored from a backup
        total = _added_since(connection, dataset, 0)
    else:
        total = since.total + _added_since(connection, dataset, since.event)
    total %= _MODULUS
    every = classes_of(connection, dataset)
    classes = [[one.number, one.name, one.state] for one in every if one.state != "retired"]
    version = hash_values({"labels": f"{total:064x}", "classes": classes})[:VERSION_LENGTH]
    return LabelState(event, class_event, total, version)


def last_event(connection: Connection, dataset: str) -> int:
    """The id of the newest event, 0 before the first."""
    query = select(func.max(label_events.c.id)).where(label_events.c.dataset == dataset)
    return connection.execute(query).scalar() or 0


def _added_since(connection: Connection, dataset: str, event: int) -> int:
    """What later events have added to the sum, less what they have replaced."""
    total = 0
    while rows := page(connection, dataset, ["digest", "replaced"], event):
        ids, added, replaced = zip(*rows, strict=True)  # a third less time than by the names of the columns
        total += _sum(added) - _sum(replaced)
        event = ids[-1]
    return total


def _sum(digests: Iterable[bytes]) -> int:
    """Of numbers of 32 bytes, added up column by column."""
    words = np.frombuffer(b"".join(digests), "<u4").reshape(-1, 8)
    columns = words.sum(axis=0, dtype=np.uint64)
    return sum(int(column) << 32 * place for place, column in enumerate(columns))
