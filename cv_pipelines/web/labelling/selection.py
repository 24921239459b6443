"""Which images a queue has now, and in which order."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow.compute as pc

from cv_pipelines.annotations.store.assignments import assigned_to
from cv_pipelines.database.engine import reading
from cv_pipelines.web.image_index import ImageIndex, Rows
from cv_pipelines.web.labelling.labelling import LabelledImages, Labelling
from cv_pipelines.web.labelling.queues import Choice, Mask, mask_of, newest_first, ranked_first


@dataclass(frozen=True)
class Listed:
    """What does not follow from what stands: the images of a queue that is a list of its own, and of one's work.

    Attributes:
        rows: of the images of the queue, in their order; None: it is no such list.
        blind: of images that who asks has still to label: for them these are without labels of people.
        complete: False: not all of them are known yet; asked for again in a second they may be.
    """

    rows: Rows | None = None
    blind: Rows = field(default_factory=lambda: np.array([], np.int64))
    complete: bool = True


def listed(labelling: Labelling, opened: LabelledImages, choice: Choice, who: str) -> Listed:
    """What a queue lists; this may wait for somebody, so hold no lock."""
    with reading(labelling.catalog.database) as connection:
        mine = _present(opened.images, assigned_to(connection, opened.name, who))
    match choice.queue:
        case "asked":
            return Listed(_present(opened.images, labelling.asked(opened.name)), mine)
        case "disagreement":
            answer = labelling.agreement.of(opened.name)
            disputes = answer.figures.disputes if answer.figures else ()
            return Listed(_present(opened.images, disputes), mine, answer.fresh)
        case "mine":
            return Listed(mine, mine)
        case _:
            return Listed(None, mine)


def select(opened: LabelledImages, choice: Choice, lists: Listed) -> tuple[Mask, Rows | None]:
    """The mask and the order of a choice; hold the lock of the labels.

    Args:
        opened: the data set.
        choice: of a queue.
        lists: of `listed`.

    Returns:
        Which images there are, and all rows in their order; None: that of the ids.
    """
    mask, labelled = _mask(len(opened.images), lists.rows), opened.labels.labelled()
    hidden = lists.blind[opened.labels.labelled_by("person")[lists.blind]]
    labelled[hidden] = False
    if choice.queue in ("unlabelled", "asked") or choice.hide_labelled:
        mask &= ~labelled
    if choice.queue == "unsure":
        mask &= ~labelled | opened.labels.labelled_by("model")
    if choice.label is not None:
        mask &= opened.labels.bearing(choice.label)
        mask[hidden] = False
    if choice.search:
        mask &= np.asarray(pc.match_substring(opened.images.names, choice.search, ignore_case=True))
    return mask, _order(opened, choice, lists.rows)


def _mask(count: int, rows: Rows | None) -> Mask:
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
