"""Which images a version of a data set has, in their order: read once per process, never per request."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cv_pipelines.catalog import Catalog
from cv_pipelines.images.stored import StoredImages
from cv_pipelines.images.versions import MANIFEST
from cv_pipelines.storage.bundles import Reference
from cv_pipelines.web.kept import Kept

Rows = NDArray[np.int64]
"""Numbers of images in the order of their ids."""
_MOST_COUNTS = 10_000
_COLUMNS = ["image_id", "uri", "sources", "width", "height"]
_NOT_THERE = -1


@dataclass(frozen=True)
class ImageIndex:
    """The images of a manifest, ordered by id; a million take about 350 MB.

    Attributes:
        images: their ids, and where their bytes are.
        names: of their files in the source: where there are several, the first.
        width: in pixels, upright. `height` likewise.
    """

    images: StoredImages
    names: pa.StringArray
    width: NDArray[np.int32]
    height: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.names)

    @cached_property
    def keys(self) -> NDArray[np.bytes_]:
        """The ids, as numpy can search them."""
        return np.array(self.images.ids.to_numpy(zero_copy_only=False), "S")

    @cached_property
    def by_name(self) -> Rows:
        """All rows in the order of their names."""
        return np.asarray(pc.sort_indices(self.names), np.int64)

    def rows_of(self, image_ids: Sequence[str]) -> Rows:
        """The rows of images, -1 for those that are not there."""
        if not len(self) or not len(image_ids):
            return np.full(len(image_ids), _NOT_THERE, np.int64)
        wanted = np.array(image_ids, "S")
        rows = np.minimum(np.searchsorted(self.keys, wanted), len(self) - 1)
        return np.where(self.keys[rows] == wanted, rows, _NOT_THERE)

    def ids_at(self, rows: Rows | Sequence[int]) -> list[str]:
        """The ids of images."""
        return [key.decode() for key in self.keys[rows].tolist()]

    def id_at(self, row: int) -> str:
        """The id of an image."""
        return str(self.images.ids[row].as_py())

    def name_at(self, row: int) -> str:
        """The name of an image."""
        return str(self.names[row].as_py())

    def names_at(self, rows: Rows | Sequence[int]) -> list[str]:
        """The names of images."""
        names: list[str] = self.names.take(pa.array(rows)).to_pylist()
        return names

    def place_of(self, image_id: str) -> int:
        """How many images have ids before this one, which need not be there."""
        return int(np.searchsorted(self.keys, np.array(image_id, "S"))) if len(self) else 0


@dataclass(frozen=True)
class ImageIndexes:
    """The indexes used last."""

    catalog: Catalog
    _counts: dict[str, int] = field(default_factory=dict)
    _held: Kept[str, ImageIndex] = field(default_factory=Kept)

    def current(self, dataset: str) -> ImageIndex:
        """The index of what a data set is now.

        Raises:
            InputError: code `not_materialized`.
        """
        return self.of(self.catalog.require(MANIFEST, dataset))

    def of(self, reference: Reference) -> ImageIndex:
        """The index of a manifest."""
        return self._held.of(reference.key, lambda: self._read(reference))

    def count(self, reference: Reference) -> int:
        """How many images a manifest has: a number of its own, for which no table is read."""
        if reference.key not in self._counts:
            if len(self._counts) >= _MOST_COUNTS:
                self._counts.clear()
            self._counts[reference.key] = int(self.catalog.open(reference).facts["images"])
        return self._counts[reference.key]

    def _read(self, reference: Reference) -> ImageIndex:
        manifest = self.catalog.open(reference)
        table = manifest.table("images", _COLUMNS).combine_chunks()
        ids, uris, sources, width, height = (table[name].combine_chunks() for name in _COLUMNS)
        sizes = (np.asarray(pc.fill_null(one, 0), np.int32) for one in (width, height))
        return ImageIndex(StoredImages(manifest.store, ids, uris), first_of(sources), *sizes)


def first_of(lists: pa.ListArray) -> pa.StringArray:
    """The first text of each list, the empty one where there is none."""
    starts, lengths = lists.offsets[:-1], pc.fill_null(pc.list_value_length(lists), 0)
    places = pc.if_else(pc.greater(lengths, 0), starts, None)
    return pc.fill_null(lists.values.take(places), "")
