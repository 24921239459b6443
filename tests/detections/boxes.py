"""Labels and detections as short lists."""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from cv_pipelines.annotations.annotation import Annotation, Box
from cv_pipelines.detections.boxes import by_class, gather_detections, gather_truth
from cv_pipelines.detections.detection import DETECTIONS

Seen = tuple[str, str, float, float, float, float, float]
"""Image, class, left, top, width, height, score."""


def labelled(images: Mapping[str, Sequence[Box]]) -> list[Annotation]:
    """Annotations by image."""
    return [Annotation(f"{image}.jpg", boxes=tuple(boxes), image_id=image) for image, boxes in images.items()]


def batches(seen: Sequence[Seen]) -> list[pa.RecordBatch]:
    """Detections as they are stored."""
    columns: list[Any] = [list(column) for column in zip(*seen, strict=True)] or [[]] * len(DETECTIONS)
    return pa.table(columns, schema=DETECTIONS).to_batches(max_chunksize=3)


def one_class(images: Mapping[str, Sequence[Box]], seen: Sequence[Seen]) -> Any:
    """What is there and what is seen of the only class."""
    truth = gather_truth(labelled(images))
    ((_, objects, found),) = by_class(truth, gather_detections(batches(seen), truth))
    return objects, found
