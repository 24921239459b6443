"""Which images a version of a data set has, in their order: read once per process, never per request."""

from bisect import bisect_left, bisect_right
from collections import OrderedDict
from dataclasses import dataclass, field
from threading import Lock

import pyarrow as pa

from cv_pipelines.catalog import Catalog
from cv_pipelines.images.stored import StoredImages
from cv_pipelines.images.versions import MANIFEST
from cv_pipelines.storage.bundles import Reference

_MOST = 8
_MOST_COUNTS = 10_000
_COLUMNS = ["image_id", "uri", "sources"]


@dataclass(frozen=True)
class Listed:
    """An image of a page: its id, and the name of its file in the source."""

    image_id: str
    name: str


@dataclass(frozen=True)
class Page:
    """Some images that follow each other.

    Attributes:
        images: in the order of their ids.
        start: how many images come before them.
        previous: the id of the one right before them, empty where there is none: `after` it comes this page.
        total: how many there are in all.
    """

    images: list[Listed]
    start: int
    previous: str
    total: int

    @property
    def end(self) -> int:
        """How many images there are up to and with the last one of the page."""
        return self.start + len(self.images)


@dataclass(frozen=True)
class ImageIndex:
    """The images of a manifest, ordered by id; a million take about 250 MB."""

    images: StoredImages
    sources: pa.Array

    def after(self, image_id: str, most: int) -> Page:
        """The images that follow an id, which need not be there; the first ones for the empty one."""
        start = bisect_right(self.images.ids, image_id, key=_text)
        return self._page(start, start + most)

    def before(self, image_id: str, most: int) -> Page:
        """The images that come right before an id; never fewer than the first page has."""
        end = max(bisect_left(self.images.ids, image_id, key=_text), min(most, len(self.sources)))
        return self._page(max(0, end - most), end)

    def _page(self, start: int, end: int) -> Page:
        ids = self.images.ids[start:end].to_pylist()
        names = [held[0] if held else "" for held in self.sources[start:end].to_pylist()]
        previous = str(self.images.ids[start - 1].as_py()) if start else ""
        return Page([Listed(*one) for one in zip(ids, names, strict=True)], start, previous, len(self.sources))


@dataclass(frozen=True)
class ImageIndexes:
    """The indexes used last."""

    catalog: Catalog
    _counts: dict[str, int] = field(default_factory=dict)
    _held: OrderedDict[str, ImageIndex] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def current(self, dataset: str) -> ImageIndex:
        """The index of what a data set is now.

        Raises:
            InputError: code `not_materialized`.
        """
        return self.of(self.catalog.require(MANIFEST, dataset))

    def of(self, reference: Reference) -> ImageIndex:
        """The index of a manifest; one thread reads it, others wait for that."""
        with self._lock:
            found = self._held.get(reference.key) or self._read(reference)
            self._held[reference.key] = found
            self._held.move_to_end(reference.key)
            while len(self._held) > _MOST:
                self._held.popitem(last=False)
            return found

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
        ids, uris, sources = (table[name].combine_chunks() for name in _COLUMNS)
        return ImageIndex(StoredImages(manifest.store, ids, uris), sources)


def _text(scalar: pa.StringScalar) -> str:
    return str(scalar.as_py())
