"""Which images a queue has now, and in which order."""

import numpy as np
import pyarrow.compute as pc

from cv_pipelines.web.image_index import Rows
from cv_pipelines.web.labelling.labelling import LabelledImages, Labelling
from cv_pipelines.web.labelling.queues import Choice, Mask, newest_first


def select(labelling: Labelling, opened: LabelledImages, choice: Choice, who: str) -> tuple[Mask, Rows | None]:
    """The mask and the order of a choice; no order: that of the ids."""
    mask, order = _queue(labelling, opened, choice, who)
    if choice.hide_labelled:
        mask = mask & ~opened.labels.labelled()
    if choice.label is not None:
        mask = mask & opened.labels.bearing(choice.label)
    if choice.search:
        found = pc.match_substring(opened.images.names, choice.search, ignore_case=True)
        mask = mask & np.asarray(found)
    return mask, _sorted(opened, choice, order)


def _queue(labelling: Labelling, opened: LabelledImages, choice: Choice, who: str) -> tuple[Mask, Rows | None]:
    match choice.queue:
        case "unlabelled":
            return ~opened.labels.labelled(), None
        case _:
            return np.ones(len(opened.images), bool), None


def _sorted(opened: LabelledImages, choice: Choice, order: Rows | None) -> Rows | None:
    match choice.sort:
        case "name":
            return opened.images.by_name
        case "newest":
            return newest_first(opened.labels.event)
        case "id":
            return None
        case _:
            return order
