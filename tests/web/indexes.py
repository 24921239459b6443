"""Indexes of images that nobody has ingested, for tests of what is computed on them."""

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import pyarrow as pa

from cv_pipelines.images.stored import StoredImages
from cv_pipelines.web.image_index import ImageIndex


def index_of(ids: Sequence[str], names: Sequence[str] | None = None) -> ImageIndex:
    """The index of images with these ids, in order; without names of their own `<id>.png`."""
    called = pa.array(names if names is not None else [f"{one}.png" for one in ids], pa.string())
    size = np.full(len(ids), 10, np.int32)
    return ImageIndex(StoredImages(cast(Any, None), pa.array(ids, pa.string()), called), called, size, size)
