"""Masks as formats pack them, and the outlines of masks.

Own decoders, not those of pycocotools: its C code trusts the runs that it is given, and these come from strangers.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from cv_pipelines.annotations.annotation import Ring
from cv_pipelines.images.header import MAX_PIXELS

MOST_CORNERS = 50_000
"""Of one mask: what people draw has hundreds."""
Mask = npt.NDArray[np.bool_]
"""Height, width."""


def mask_of_runs(runs: Sequence[int], width: int, height: int, by_column: bool) -> Mask:
    """The mask of alternating run lengths, the first of them outside of it.

    Args:
        runs: numbers of pixels.
        width: in pixels.
        height: in pixels.
        by_column: the pixels are counted down the columns (COCO), else along the rows (CVAT).

    Raises:
        ValueError: the runs are not as many pixels as the mask.
    """
    if not 0 < width * height <= MAX_PIXELS or width < 0:
        raise ValueError(f"a mask of {width} x {height} pixels")
    if not all(type(run) is int and 0 <= run <= MAX_PIXELS for run in runs) or sum(runs) != width * height:
        raise ValueError(f"the runs of a mask are not its {width} x {height} pixels")
    flat = np.repeat(np.arange(len(runs)) % 2 == 1, np.asarray(runs, np.int64))
    return flat.reshape((width, height)).T if by_column else flat.reshape((height, width))


def runs_of_text(text: str) -> list[int]:
    """The runs of COCO's compressed form: groups of five bits, from the fourth run on as differences.

    Source: `rleFrString` in maskApi.c of the COCO API.

    Raises:
        ValueError: a sign that cannot be there, or the text ends within a number.
    """
    runs: list[int] = []
    value, shift = 0, 0
    for sign in text:
        bits = ord(sign) - 48
        if not 0 <= bits < 64 or shift > 30:
            raise ValueError("a compressed mask has a sign that cannot be there")
        value |= (bits & 0x1F) << shift
        shift += 5
        if bits & 0x20:
            continue
        if bits & 0x10:  # negative
            value -= 1 << shift
        runs.append(value + (runs[-2] if len(runs) > 2 else 0))
        value, shift = 0, 0
    if shift:
        raise ValueError("a compressed mask ends too early")
    return runs


def mask_of_brush(data: Sequence[int], width: int, height: int) -> Mask:
    """The mask of Label Studio's brush: the alpha of RGBA bytes, packed by bits.

    32 bits: how many values; 5: bits of a value, less one; 4 times 4: the possible bits of a length, less one.
    Then runs: one bit (repeated or not), two (which of the lengths), the length less one, the value or values.
    Source: the package rle-pack of thi.ng/umbrella.

    Raises:
        ValueError: not that, or not as many pixels as the image.
    """
    if not 0 < width * height <= MAX_PIXELS:
        raise ValueError(f"a mask of {width} x {height} pixels")
    if not all(type(one) is int and 0 <= one < 256 for one in data):
        raise ValueError("a brush mask is a list of bytes")
    bits = _Bits(bytes(data))
    count, size = bits.take(32), bits.take(5) + 1
    lengths = [bits.take(4) + 1 for _ in range(4)]
    if count != width * height * 4 or size != 8:
        raise ValueError(f"a brush mask is not the {width} x {height} pixels of its image")
    values = bytearray()
    while len(values) < count:
        repeated = bits.take(1)
        run = bits.take(lengths[bits.take(2)]) + 1
        if repeated:
            values += bytes([bits.take(size)]) * run
        else:
            values += bytes(bits.take(size) for _ in range(run))
        if len(values) > count:
            raise ValueError("a brush mask has more pixels than it says")
    return np.frombuffer(values, np.uint8).reshape(height, width, 4)[..., 3] > 127


class _Bits:
    """A byte string, bit by bit."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def take(self, count: int) -> int:
        first, last = self._at // 8, (self._at + count + 7) // 8
        if last > len(self._data):
            raise ValueError("a brush mask ends too early")
        self._at += count
        return int.from_bytes(self._data[first:last], "big") >> (last * 8 - self._at) & ((1 << count) - 1)


def outline_of(mask: Mask, left: float = 0, top: float = 0) -> tuple[Ring, ...]:
    """The exact outline of a mask, along the edges of its pixels; holes are rings of their own.

    The corners of the region on one grid line, in order, are pairwise the ends of its edges there: so rings are
    found by following edges along a row and along a column in turn.

    Args:
        mask: height, width.
        left: where the mask begins in the image.
        top: likewise.

    Raises:
        ValueError: the mask is noise, of more than MOST_CORNERS corners.
    """
    if not mask.any():
        return ()
    padded = np.pad(mask, 1)
    corner = padded[:-1, :-1] ^ padded[1:, :-1] ^ padded[:-1, 1:] ^ padded[1:, 1:]
    crossing = (padded[:-1, :-1] == padded[1:, 1:]) & (padded[1:, :-1] == padded[:-1, 1:])
    crossing &= padded[:-1, :-1] != padded[1:, :-1]  # two pixels that touch at a corner only: it is two corners
    rows, columns = np.nonzero(corner)
    twice_rows, twice_columns = np.nonzero(crossing)
    ys = np.concatenate([rows, twice_rows, twice_rows])
    xs = np.concatenate([columns, twice_columns, twice_columns])
    if len(xs) > MOST_CORNERS:
        raise ValueError(f"a mask of {len(xs):,} corners, which is noise; at most {MOST_CORNERS:,} are outlined")
    along, down = _partners(np.lexsort((xs, ys))), _partners(np.lexsort((ys, xs)))
    points = list(zip((xs + left).tolist(), (ys + top).tolist(), strict=True))
    return tuple(_followed(points, along, down))


def _partners(order: npt.NDArray[np.intp]) -> list[int]:
    """The other end of each corner's edge, corners being sorted along their grid lines."""
    partners = np.empty_like(order)
    partners[order[0::2]], partners[order[1::2]] = order[1::2], order[0::2]
    return [int(one) for one in partners]


def _followed(points: list[tuple[float, float]], along: list[int], down: list[int]) -> list[Ring]:
    rings, left = [], set(range(len(points)))
    for start in range(len(points)):
        if start not in left:
            continue
        ring, corner = [], start
        while True:
            other = along[corner]
            ring += [points[corner], points[other]]
            left -= {corner, other}
            corner = down[other]
            if corner == start:
                break
        rings.append(tuple((float(x), float(y)) for x, y in ring))
    return rings
