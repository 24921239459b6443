"""Images that a model sees as alike: every vector is looked at, which is exact and quick enough for a million."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cv_pipelines.catalog import Catalog
from cv_pipelines.errors import InputError
from cv_pipelines.models.embedding import PART, normalised
from cv_pipelines.storage.bundles import Reference

Vectors = NDArray[np.float16]
_BLOCK = 4096
_AHEAD = 4.0
"""More than cosines can differ by."""


@dataclass(frozen=True)
class Embeddings:
    """The embeddings of a data set, held in memory: a million of width 512 take 1 GB.

    Attributes:
        image_ids: in order, strings.
        vectors: of them, of length 1: (n, width).
    """

    image_ids: pa.Array
    vectors: Vectors

    def like(
        self,
        image_ids: str | Sequence[str],
        most: int,
        first: NDArray[np.bool_] | None = None,
        by: Literal["mean", "nearest"] = "mean",
    ) -> list[tuple[str, float]]:
        """The images most like one or several, without these, with their cosines.

        Args:
            image_ids: of the one or several.
            most: how many are wanted.
            first: rows that come before all others, such as those of unlabelled images: (n,).
            by: the mean of several images, or whichever of them is nearest.

        Raises:
            InputError: code `not_embedded`.
        """
        chosen = [image_ids] if isinstance(image_ids, str) else list(image_ids)
        rows = np.array([self.row(one) for one in chosen], np.int64)
        targets = self.vectors[rows].astype(np.float32)
        cosines = cosines_to_nearest(
            self.vectors, normalised(targets.mean(axis=0)[None]) if by == "mean" else targets
        )
        order = cosines + (_AHEAD * first if first is not None else 0)
        order[rows] = -np.inf
        wanted = min(most, len(order) - len(set(rows.tolist())))
        if wanted <= 0:
            return []
        found = np.argpartition(-order, wanted - 1)[:wanted]
        found = found[np.lexsort((found, -order[found]))]
        return [(self.image_ids[row].as_py(), float(cosines[row])) for row in found.tolist()]

    def row(self, image_id: str) -> int:
        """The row of an image.

        Raises:
            InputError: code `not_embedded`.
        """
        row = bisect_left(self.image_ids, image_id, key=lambda scalar: str(scalar.as_py()))
        if row == len(self.image_ids) or self.image_ids[row].as_py() != image_id:
            message = f"The champion has not looked at the image '{image_id}' yet: run the data set again."
            raise InputError("not_embedded", message)
        return row


def open_embeddings(catalog: Catalog, reference: Reference) -> Embeddings:
    """Read an `image_embeddings` artefact; whoever asks several times keeps what this returns."""
    table = catalog.open(reference).table(PART).combine_chunks()
    ids, embedding = (table[name].combine_chunks() for name in ("image_id", "embedding"))
    return Embeddings(ids, embedding.flatten().to_numpy().reshape(len(ids), embedding.type.list_size))


def cosines_to_nearest(vectors: Vectors, targets: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    """The cosine of every vector (n, width) with the target (k, width) that is nearest to it: (n,).

    All have length 1. Block by block: half precision takes half the memory, and long to multiply.
    """
    found = np.full(len(vectors), -1, np.float32)
    for start in range(0, len(found), _BLOCK):
        block = vectors[start : start + _BLOCK].astype(np.float32)
        for first in range(0, len(targets), _BLOCK):
            some = targets[first : first + _BLOCK].astype(np.float32, copy=False)
            nearest = (block @ some.T).max(axis=1)
            np.maximum(found[start : start + _BLOCK], nearest, out=found[start : start + _BLOCK])
    return found
