"""Boxes in the order of a file, given back by image: 52 bytes a box, outlines on disk."""

import json
import struct
import tempfile
from array import array
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from cv_pipelines.annotations.annotation import NONE, Attributes, Box, Ring

_SHARED = 4096
"""So many different sets of attributes are kept in memory; further ones go to disk."""
_BLOCK = 2048
"""Images that are put together at once."""
Flat = Sequence[float]
"""A ring as x, y, x, y …"""


class Gathering:
    """Boxes added in any order, read once by image."""

    def __init__(self) -> None:
        self._images, self._labels = array("q"), array("i")
        self._places, self._extras = array("d"), array("q")
        self._shared: dict[str, int] = {}
        self._known: list[Attributes] = [NONE]
        self._spill = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as this object
        self._spilled = 1

    def __len__(self) -> int:
        return len(self._images)

    @property
    def images(self) -> npt.NDArray[np.int64]:
        """The image of each box; nothing can be added any more once it has been asked for."""
        return np.frombuffer(self._images, np.int64)

    @property
    def labels(self) -> npt.NDArray[np.int32]:
        """The class of each box, likewise."""
        return np.frombuffer(self._labels, np.int32)

    def add(
        self,
        image: int,
        label: int,
        place: tuple[float, float, float, float],
        attributes: Attributes = NONE,
        outline: Sequence[Flat] = (),
    ) -> None:
        """Add a box.

        Args:
            image: its number, from 0 without gaps.
            label: the number of its class.
            place: left, top, width, height.
            attributes: JSON's values.
            outline: rings.
        """
        self._extras.append(self._extra(attributes, outline) if attributes or outline else 0)
        self._images.append(image)
        self._labels.append(label)
        self._places.extend(place)

    def by_image(
        self, count: int, names: Sequence[str], keep: npt.NDArray[np.bool_] | None = None
    ) -> Iterator[tuple[Box, ...]]:
        """Yield the boxes of the images 0 to `count` - 1, each image's in the order in which they were added.

        Args:
            count: of images.
            names: of classes, by number.
            keep: which boxes, one value a box; None: all.
        """
        images, labels = self.images, self.labels
        order = np.argsort(images, kind="stable")
        if keep is not None:
            order = order[keep[order]]
        starts = np.searchsorted(images[order], np.arange(count + 1))
        places = np.frombuffer(self._places, np.float64).reshape(-1, 4)
        extras = np.frombuffer(self._extras, np.int64)
        for first in range(0, count, _BLOCK):
            edges = starts[first : first + _BLOCK + 1].tolist()
            rows = order[edges[0] : edges[-1]]
            columns = list(zip(places[rows].tolist(), labels[rows].tolist(), extras[rows].tolist(), strict=True))
            for start, stop in pairwise(edges):
                yield tuple(
                    [
                        Box(names[label], left, top, width, height, *self._read(extra))
                        if extra
                        else Box(names[label], left, top, width, height)
                        for (left, top, width, height), label, extra in columns[start - edges[0] : stop - edges[0]]
                    ]
                )

    def _extra(self, attributes: Attributes, outline: Sequence[Flat]) -> int:
        """What a box has beyond its place: a number of shared attributes, or, negative, where it is on disk."""
        if not outline:
            key = repr(attributes)  # tells 1 from True, and costs less than JSON
            known = self._shared.get(key)
            if known is not None:
                return known
            if len(self._shared) < _SHARED:
                self._known.append(dict(attributes))
                self._shared[key] = len(self._known) - 1
                return len(self._known) - 1
        return -self._write(json.dumps(dict(attributes)).encode(), outline)

    def _write(self, text: bytes, outline: Sequence[Flat]) -> int:
        record = struct.pack(f"<II{len(outline)}I", len(text), len(outline), *(len(ring) for ring in outline))
        record += text + b"".join(array("d", ring).tobytes() for ring in outline)
        self._spill.write(record)
        place, self._spilled = self._spilled, self._spilled + len(record)
        return place

    def _read(self, extra: int) -> tuple[tuple[Ring, ...], Attributes]:
        if extra > 0:
            return (), self._known[extra]
        self._spill.seek(-extra - 1)
        length, rings = struct.unpack("<II", self._spill.read(8))
        sizes = struct.unpack(f"<{rings}I", self._spill.read(4 * rings))
        attributes = json.loads(self._spill.read(length)) or NONE
        return tuple(self._ring(size) for size in sizes), attributes

    def _ring(self, size: int) -> Ring:
        flat = array("d", self._spill.read(8 * size))
        return tuple(zip(flat[0::2], flat[1::2], strict=True))
