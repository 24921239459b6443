"""Images that a model sees as alike: every vector is looked at, which is exact and quick enough for a million."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cv_pipelines.catalog import Catalog
from cv_pipelines.errors import InputError
from cv_pipelines.models.embedding import PART, normalised
from cv_pipelines.storage.bundles import Reference

Vectors = NDArray[np.float32]
"""Of length 1: (n, width)."""
_BLOCK = 4096
_AHEAD = 4.0
"""More than cosines can differ by."""


@dataclass(frozen=True)
class Embeddings:
    """The embeddings of a data set in memory: 100,000 of width 512 take 205 MB.

    In single precision, for half is slow to multiply: many times slower than this on a busy machine.

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
        targets = self.vectors[rows]
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
    vectors = embedding.flatten().to_numpy().reshape(len(ids), embedding.type.list_size)
    return Embeddings(ids, vectors.astype(np.float32))


def cosines_to_nearest(vectors: Vectors, targets: Vectors) -> NDArray[np.float32]:
    """The cosine of every vector (n, width) with the target (k, width) that is nearest to it: (n,)."""
    if len(targets) == 1:
        return np.asarray(vectors @ targets[0], np.float32)
    found = np.full(len(vectors), -1, np.float32)
    for start in range(0, len(found), _BLOCK):
        rows = slice(start, start + _BLOCK)
        for first in range(0, len(targets), _BLOCK):
            nearest = (vectors[rows] @ targets[first : first + _BLOCK].T).max(axis=1)
            np.maximum(found[rows], nearest, out=found[rows])
    return found
