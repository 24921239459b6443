"""What stands of all images, read in bulk."""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from sqlalchemy import Engine, Row

from cv_pipelines.annotations.store.classes import find_class
from cv_pipelines.annotations.store.content import classes_in
from cv_pipelines.annotations.store.events import page
from cv_pipelines.annotations.store.versions import last_event
from cv_pipelines.database.engine import reading

ANNOTATIONS = pa.schema(
    [(name, pa.string()) for name in ("image_id", "content", "origin", "who", "model")] + [("version", pa.int32())]
)
"""One row per labelled image, in the order of their events; `content` as in store/content.py."""


def standing(database: Engine, dataset: str, event: int) -> Iterator[pa.Table]:
    """What stood of each image at an event, in the order of the events: two scans, and no million of look-ups."""
    last = _last_events(database, dataset, event)
    for rows in _pages(database, dataset, ANNOTATIONS.names, event):
        ids, *values = zip(*rows, strict=True)
        stands = last[np.searchsorted(last, ids)] == np.array(ids)
        table = pa.table([list(one) for one in values], schema=ANNOTATIONS).filter(stands)
        yield table.filter(pc.is_valid(table["content"]))


def count_labels(database: Engine, dataset: str, name: str) -> int:
    """How many images bear a class, as a whole or on a box.

    Raises:
        InputError: `no_class`.
    """
    with reading(database) as connection:
        number, event = find_class(connection, dataset, name).number, last_event(connection, dataset)
    now = standing(database, dataset, event)
    return sum(number in chain(*classes_in(one)) for some in now for one in some["content"].to_pylist())


def labelled_images(database: Engine, dataset: str) -> set[str]:
    """Ids of the images that have a label; about 120 bytes each are held."""
    with reading(database) as connection:
        event = last_event(connection, dataset)
    found = set[str]()
    for rows in _pages(database, dataset, ["image_id", "digest"], event):
        for row in rows:
            (found.add if any(row.digest) else found.discard)(row.image_id)
    return found


def _last_events(database: Engine, dataset: str, event: int) -> NDArray[np.int64]:
    """Ids of the newest events of all images, in order; 70 bytes an event are held."""
    schema = pa.schema([("id", pa.int64()), ("image_id", pa.string())])
    pages = _pages(database, dataset, ["image_id"], event)
    found = [pa.table([list(one) for one in zip(*rows, strict=True)], schema=schema) for rows in pages]
    newest = pa.concat_tables([schema.empty_table(), *found]).group_by("image_id").aggregate([("id", "max")])
    return np.sort(newest["id_max"].to_numpy())


def _pages(database: Engine, dataset: str, columns: Sequence[str], event: int) -> Iterator[Sequence[Row[Any]]]:
    after = 0
    while True:
        with reading(database) as connection:
            rows = page(connection, dataset, columns, after, event)
        if not rows:
            return
        yield rows
        after = rows[-1].id
