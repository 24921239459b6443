"""Which images a queue has now, and in which order."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow.compute as pc

from cv_pipelines.annotations.store.assignments import assigned_to
from cv_pipelines.database.engine import reading
from cv_pipelines.web.image_index import ImageIndex, Rows
from cv_pipelines.web.labelling.labelling import LabelledImages, Labelling
from cv_pipelines.web.labelling.queues import Choice, Mask, mask_of, newest_first, ranked_first


@dataclass(frozen=True)
class Listed:
    """The images of a queue that is a list of its own: what is in it does not follow from what stands.

    Attributes:
        rows: of them, in their order; None: the queue is no such list.
        complete: False: not all of them are known yet; asked for again in a second they may be.
    """

    rows: Rows | None = None
    complete: bool = True


def listed(labelling: Labelling, opened: LabelledImages, choice: Choice, who: str) -> Listed:
    """What a queue lists; this may wait for somebody, so hold no lock."""
    match choice.queue:
        case "asked":
            return Listed(_present(opened.images, labelling.asked(opened.name)))
        case "disagreement":
            answer = labelling.agreement.of(opened.name)
            disputes = answer.figures.disputes if answer.figures else ()
            return Listed(_present(opened.images, disputes), answer.fresh)
        case "mine":
            with reading(labelling.catalog.database) as connection:
                assigned = assigned_to(connection, opened.name, who)
            return Listed(_present(opened.images, assigned))
        case _:
            return Listed()


def select(opened: LabelledImages, choice: Choice, rows: Rows | None) -> tuple[Mask, Rows | None]:
    """The mask and the order of a choice; hold the lock of the labels.

    Args:
        opened: the data set.
        choice: of a queue.
        rows: of Listed.

    Returns:
        Which images there are, and all rows in their order; None: that of the ids.
    """
    mask, labelled = _mask(opened, choice, rows), opened.labels.labelled()
    if choice.queue in ("unlabelled", "asked") or choice.hide_labelled:
        mask &= ~labelled
    if choice.queue == "unsure":
        mask &= ~labelled | opened.labels.of_models()
    if choice.label is not None:
        mask &= opened.labels.bearing(choice.label)
    if choice.search:
        mask &= np.asarray(pc.match_substring(opened.images.names, choice.search, ignore_case=True))
    return mask, _order(opened, choice, rows)


def _mask(opened: LabelledImages, choice: Choice, rows: Rows | None) -> Mask:
    count = len(opened.images)
    return np.ones(count, bool) if rows is None else mask_of(rows, count)


def _order(opened: LabelledImages, choice: Choice, rows: Rows | None) -> Rows | None:
    by = choice.sort or {"unsure": "unsure", "asked": "asked"}.get(choice.queue, "id")
    match by:
        case "name":
            return opened.images.by_name
        case "newest":
            return newest_first(opened.labels.event)
        case "unsure":
            return opened.predictions.least_sure_first if opened.predictions else None
        case "asked" if rows is not None:
            return ranked_first(rows, len(opened.images))
        case _:
            return None


def _present(images: ImageIndex, image_ids: Sequence[str]) -> Rows:
    """The rows of those images that the data set has; a list may be older than it."""
    rows = images.rows_of(image_ids)
    return rows[rows >= 0]
