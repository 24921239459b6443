"""Labels that the source of a data set gives its images, as imports of the label store."""

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
from sqlalchemy import Connection, Row

from cv_pipelines.annotations.annotation import NONE, Annotation
from cv_pipelines.annotations.store.classes import State, ensure_classes
from cv_pipelines.annotations.store.content import NOTHING, content_of, digest_of
from cv_pipelines.annotations.store.events import Author, Change, append, heads

SOURCE = Author("source", "import")
_AT_ONCE = 500


def take_source_labels(connection: Connection, dataset: str, images: pa.Table, classes: Sequence[str] = ()) -> int:
    """Note what the source says of each image now; what a person, a file or a model has said since stands.

    Args:
        connection: of store.events.writing.
        dataset: the data set.
        images: with the columns `image_id` and `source_label`.
        classes: the label set, where somebody has fixed it: other ones that the source uses are `unknown`.

    Returns:
        How many labels are new, other ones, or gone.
    """
    found = sorted(set(images["source_label"].to_pylist()) - {None})
    ensure_classes(connection, dataset, [(name, "", NONE) for name in classes], SOURCE.who)
    state: State = "unknown" if classes else "active"
    numbers = ensure_classes(connection, dataset, [(name, "", NONE) for name in found], SOURCE.who, state)
    contents = {name: content_of(Annotation("", classes=(name,)), numbers.__getitem__) for name in found}
    changes = _changes(connection, dataset, images, contents)
    return append(connection, dataset, changes, SOURCE).events


def _changes(connection: Connection, dataset: str, images: pa.Table, contents: dict[str, str]) -> Iterator[Change]:
    for batch in images.select(["image_id", "source_label"]).to_batches(max_chunksize=_AT_ONCE):
        ids, labels = (column.to_pylist() for column in batch.columns)
        standing = {row.image_id: row for row in heads(connection, dataset, ids)}
        for image_id, label in zip(ids, labels, strict=True):
            content = contents[label] if label is not None else None
            head = standing.get(image_id)
            if _is_its_own(head) and digest_of(image_id, content) != (bytes(head.digest) if head else NOTHING):
                yield Change(image_id, content)


def _is_its_own(head: Row[Any] | None) -> bool:
    """Whether nobody but the source has said anything of an image last."""
    return head is None or (head.origin, head.who) == (SOURCE.origin, SOURCE.who)
