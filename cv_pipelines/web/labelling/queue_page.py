"""A page of a queue: its tiles, and the way to the pages before and after it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from cv_pipelines.annotations.store.assignments import blind_to
from cv_pipelines.annotations.store.classes import StoredClass
from cv_pipelines.annotations.store.events import Origin
from cv_pipelines.database.engine import reading
from cv_pipelines.images.quarantine import QuarantinedFile
from cv_pipelines.web.image_index import ImageIndex, Rows
from cv_pipelines.web.labelling.label_index import Counts, as_seen_blind
from cv_pipelines.web.labelling.labelling import LabelledImages, Labelling
from cv_pipelines.web.labelling.queues import Choice, cut_after, cut_before, neighbours, place_in
from cv_pipelines.web.labelling.selection import listed, select

LAST = "f" * 64
"""A cursor after all images."""


@dataclass(frozen=True)
class Tile:
    """An image as a grid shows it.

    Attributes:
        image_id: its id.
        name: of its file in the source.
        version: of its label, 0 where nothing was ever said: what a change of it has to have `seen`.
        classes: of the image as a whole, and of its boxes, each once; none that is retired.
        boxes: how many it has.
        origin: what its label is from; empty: it is not labelled.
        who: has labelled it.
        model: version of the model that has, if it was one.
        suggestion: the class that the champion sees in it, if there is such a class still, and how probably.
    """

    image_id: str
    name: str
    version: int = 0
    classes: tuple[StoredClass, ...] = ()
    boxes: int = 0
    origin: Origin | Literal[""] = ""
    who: str = ""
    model: str = ""
    suggestion: tuple[StoredClass, float] | None = None


@dataclass(frozen=True)
class QueuePage:
    """Some images of a queue that follow each other.

    Attributes:
        tiles: of the images.
        files: that are not used, instead of images, in the queue `quarantined`.
        start: how many images of the queue come before them.
        total: how many the queue has.
        previous: the cursor that the page before ends `before`, empty on the first one.
        next: the cursor that the page after begins `after`, empty on the last one.
        place: the cursor `after` which this page comes in another size, too; empty on the first one.
        counts: of the whole data set.
        classes: that are not retired.
        model: version of the model whose suggestions these are, empty where there are none.
        ingested: whether the data set has images at all yet.
        like: the image that all others are like, where this is no queue.
        complete: False: not all images of the queue are known yet; asked for again in a second they may be.
    """

    tiles: Sequence[Tile] = ()
    files: Sequence[QuarantinedFile] = ()
    start: int = 0
    total: int = 0
    previous: str = ""
    next: str = ""
    place: str = ""
    counts: Counts = field(default_factory=Counts)
    classes: Sequence[StoredClass] = ()
    model: str = ""
    ingested: bool = True
    like: Tile | None = None
    complete: bool = True

    @property
    def end(self) -> int:
        """How many images of the queue there are up to and with the last one of the page."""
        return self.start + len(self.tiles) + len(self.files)


def find_page(
    labelling: Labelling, name: str, choice: Choice, who: str, after: str = "", before: str = "", most: int = 200
) -> QueuePage:
    """A page of a queue.

    Args:
        labelling: of the platform.
        name: of the data set.
        choice: of a queue.
        who: asks.
        after: the id of an image that it comes after; empty: the first page.
        before: the id of an image that it comes right before, instead.
        most: images of a page.

    Raises:
        InputError: `no_dataset`.
    """
    opened = labelling.find(name)
    if opened is None:
        return QueuePage(ingested=False)
    if choice.queue == "quarantined":
        return _file_page(labelling, opened, choice, after, before, most)
    lists = listed(labelling, opened, choice, who)
    with labelling.up_to_date(opened):
        mask, order = select(opened, choice, lists)
        if before:
            cut = cut_before(mask, order, _place(opened.images, order, before, passed=False), most)
        else:
            cut = cut_after(mask, order, _place(opened.images, order, after, passed=True), most)
        page = page_of(labelling, opened, cut.rows, who)
    first, last = (page.tiles[0].image_id, page.tiles[-1].image_id) if page.tiles else (after or LAST, "")
    return replace(
        page,
        start=cut.start,
        total=cut.total,
        previous=first if cut.start else "",
        next=last if cut.end < cut.total else "",
        place=opened.images.id_at(cut.earlier) if cut.earlier is not None else "",
        complete=lists.complete,
    )


def page_of(labelling: Labelling, opened: LabelledImages, rows: Rows, who: str) -> QueuePage:
    """A page of just these images; hold the lock of the labels."""
    return QueuePage(
        tiles=tiles_at(labelling, opened, rows, who),
        total=len(rows),
        counts=opened.labels.counts(),
        classes=[one for one in opened.labels.classes if one.state != "retired"],
        model=opened.predictions.model if opened.predictions else "",
    )


def neighbours_of(
    labelling: Labelling, opened: LabelledImages, choice: Choice, who: str, row: int
) -> tuple[str | None, str | None]:
    """The ids of the images before and after one in a queue, in which it need not be."""
    lists = listed(labelling, opened, choice, who)
    with labelling.up_to_date(opened):
        mask, order = select(opened, choice, lists)
    found = neighbours(mask, order, place_in(order, row))
    before, after = (None if one is None else opened.images.id_at(one) for one in found)
    return before, after


def tiles_at(labelling: Labelling, opened: LabelledImages, rows: Rows, who: str) -> list[Tile]:
    """The tiles of images; hold the lock of the labels.

    What other people say of an image that who asks has still to label themselves is not among it.
    """
    ids, names = opened.images.ids_at(rows), opened.images.names_at(rows)
    with reading(labelling.catalog.database) as connection:
        blind = blind_to(connection, opened.name, who, ids)
    tiles = []
    for row, image_id, name in zip(rows.tolist(), ids, names, strict=True):
        label = opened.labels.label(row)
        if image_id in blind:
            label = as_seen_blind(label)
        told = (label.version, label.classes, label.boxes, label.origin, label.who, label.model)
        tiles.append(Tile(image_id, name, *told, suggestion_for(opened, row)))
    return tiles


def suggestion_for(opened: LabelledImages, row: int) -> tuple[StoredClass, float] | None:
    """The class that the champion sees in an image, if there is such a class still, and how probably."""
    return opened.predictions.suggested(row, opened.labels.by_name) if opened.predictions else None


def _file_page(
    labelling: Labelling, opened: LabelledImages, choice: Choice, after: str, before: str, most: int
) -> QueuePage:
    """Files that are not used, by path; cursors are their numbers in hexadecimal digits."""
    word = choice.search.lower()
    files = [one for one in labelling.quarantined(opened.manifest) if word in one.path.lower()]
    place = min(int(before or after or "0", 16), len(files))
    start = max(place - most, 0) if before else place
    end = min(start + most, len(files))
    with labelling.up_to_date(opened):
        page = page_of(labelling, opened, np.array([], np.int64), "")
    return replace(
        page,
        files=files[start:end],
        start=start,
        total=len(files),
        previous=f"{start:x}" if start else "",
        next=f"{end:x}" if end < len(files) else "",
        place=f"{start:x}" if start else "",
    )


def _place(images: ImageIndex, order: Rows | None, cursor: str, passed: bool) -> int:
    """How many rows of an order come before that of a cursor, and it too where it is `passed`."""
    row = int(images.rows_of([cursor])[0])
    if row >= 0:
        return place_in(order, row) + passed
    if order is None:
        return images.place_of(cursor)
    return 0 if passed else len(images)
