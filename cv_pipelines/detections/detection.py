"""What a detector says that it sees: boxes with scores, one row each."""

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from cv_pipelines.annotations.formats.values import number, shown
from cv_pipelines.annotations.report import ItemError
from cv_pipelines.storage.bundles import Bundle

PART = "detections"
DETECTIONS = pa.schema(
    [
        ("image_id", pa.string()),
        ("label", pa.string()),
        ("left", pa.float64()),
        ("top", pa.float64()),
        ("width", pa.float64()),
        ("height", pa.float64()),
        ("score", pa.float64()),
    ]
)
"""One row per detection, in the order of its file: of equal scores the first one counts as the surer."""


class Detection(NamedTuple):
    """One detection.

    Attributes:
        image_id: of the data set's image.
        label: the class.
        left: in pixels of the upright image, from its outer corner; `top`, `width` and `height` likewise.
        score: the larger, the surer; its scale is the detector's.
    """

    image_id: str
    label: str
    left: float
    top: float
    width: float
    height: float
    score: float


def detection(image_id: str, label: str, box: tuple[Any, Any, Any, Any], score: Any) -> Detection:
    """A detection from what a file says.

    Args:
        image_id: of the data set's image.
        label: the class.
        box: left, top, width, height; numbers or their text.
        score: likewise.

    Raises:
        ItemError: `bad_number`, `negative_size`.
    """
    left, top, width, height = (number(one) for one in box)
    if width < 0 or height < 0:
        raise ItemError("negative_size", f"a box of {width:g} x {height:g} pixels")
    return Detection(image_id, label, left, top, width, height, _score(score))


def _score(value: Any) -> float:
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        found = math.nan
    if isinstance(value, bool) or not math.isfinite(found):
        raise ItemError("bad_number", f"{shown(value)} is not a score")
    return found


def read_detections(bundle: Bundle) -> Iterator[pa.RecordBatch]:
    """The rows of an artefact of detections, some thousand at a time: DETECTIONS."""
    with bundle.store.open(bundle.parts[PART]) as file, pq.ParquetFile(file, pre_buffer=False) as parquet:
        yield from parquet.iter_batches(use_threads=False)
