"""Images that the champion sees as alike."""

from dataclasses import replace

import numpy as np

from cv_pipelines.errors import InputError
from cv_pipelines.web.labelling.labelling import Labelling
from cv_pipelines.web.labelling.queue_page import QueuePage, page_of, tiles_at


def find_similar(labelling: Labelling, name: str, image_id: str, who: str, most: int) -> QueuePage:
    """The images most like one: unlabelled ones first, then the others, of each the most alike first.

    Args:
        labelling: of the platform.
        name: of the data set.
        image_id: of the one.
        who: asks.
        most: how many are wanted.

    Raises:
        InputError: `no_dataset`, `not_materialized`, `missing_image`, or `not_embedded`: the champion has not
            looked at this image yet.
    """
    opened = labelling.require(name)
    opened.images.images.require(image_id)
    placed = labelling.embedded(opened)
    if placed is None:
        raise InputError("not_embedded", f"No model has looked at the images of '{name}' yet: train one first.")
    present = placed.rows >= 0
    with labelling.up_to_date(opened):
        unlabelled = present & ~opened.labels.labelled()[placed.rows]
    gone = len(present) - int(np.count_nonzero(present))  # since the champion has looked at them
    alike = placed.embeddings.like(image_id, most + gone, unlabelled)
    rows = opened.images.rows_of([one for one, _ in alike])
    rows = rows[rows >= 0][:most]
    with labelling.up_to_date(opened):
        (like,) = tiles_at(labelling, opened, opened.images.rows_of([image_id]), who)
        return replace(page_of(labelling, opened, rows, who), like=like)
