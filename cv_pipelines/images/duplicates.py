"""Near duplicates: images that show the same with other bytes (re-saved, resized, recoloured a little)."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cv_pipelines.images.decode import Pixels, decode_image
from cv_pipelines.images.manifest import COMPARISONS, NEAR_DUPLICATES
from cv_pipelines.images.statistics import SIDE, grey_levels, thumbnail
from cv_pipelines.progress import Progress, silent

MAX_DISTANCE = 4
"""Bits of the perceptual hash that may differ."""
MAX_DIFFERENCE = 0.03
"""Mean difference of grey values at 64 x 64, of 1."""
_MAX_BRIGHTER = MAX_DIFFERENCE + 1e-4
"""The difference of two means is at most the mean difference: beyond it no pixel need be looked at."""
MIN_SIDE = 64
"""Smaller images are too alike by nature: a hash of 8 x 8 pixels says little."""
MOST_ALIKE = 16
"""Images that each of a crowd of alike ones is compared with."""
_SMALL_BUCKET = 3 * MOST_ALIKE
"""Hashes that share a band of bits, up to which all are compared with all."""
_CELLS = 2**22
"""Hashes compared with each other at once, which bounds the memory."""
_BANDS = np.array([13, 13, 13, 13, 12], np.uint64)
_AT_ONCE = 2048
"""Pairs whose pictures are in memory together."""

_KEPT = 4096
"""Pictures kept in memory, of 4 KiB each: an image is often in several pairs."""

Hashes = NDArray[np.uint64]
Pairs = NDArray[np.int64]
"""Rows of two places, (pairs, 2), the lower one first."""


@dataclass(frozen=True)
class Comparison:
    """Pairs that show the same, as NEAR_DUPLICATES; every pair looked at, as COMPARISONS."""

    pairs: pa.Table
    compared: pa.Table


def near_duplicates(
    images: pa.Table,
    read: Callable[[str], bytes],
    known: pa.Table | None = None,
    progress: Progress = silent,
) -> Comparison:
    """Find pairs by perceptual hash and confirm each by its pixels.

    A pair is two images that were compared with each other: nothing is concluded from chains.

    Args:
        images: columns `image_id` (ordered), `width`, `height`, `perceptual_hash`, `brightness`.
        read: bytes of an image id.
        known: COMPARISONS made before.
        progress: is told of pairs.
    """
    large = (images["width"].to_numpy() >= MIN_SIDE) & (images["height"].to_numpy() >= MIN_SIDE)
    images = images.filter(pa.array(large))
    hashes = _numbers(images["perceptual_hash"])
    places = candidate_pairs(hashes)
    brightness = images["brightness"].to_numpy()[places]
    places = places[np.abs(brightness[:, 0] - brightness[:, 1]) <= _MAX_BRIGHTER]
    ids = [images["image_id"].take(pa.array(column)).combine_chunks() for column in places.T]
    distances = np.bitwise_count(hashes[places[:, 0]] ^ hashes[places[:, 1]]).astype(np.int8)
    candidates = pa.table([*ids, pa.array(distances)], schema=NEAR_DUPLICATES)
    differences = _differences(candidates, read, known, progress)
    same = pa.array(differences <= MAX_DIFFERENCE)
    return Comparison(candidates.filter(same), pa.table([*ids, pa.array(differences)], schema=COMPARISONS))


def candidate_pairs(hashes: Hashes) -> Pairs:
    """Pairs at most MAX_DISTANCE bits apart, each once and in order.

    All of them, as long as at most MOST_ALIKE are alike. Of a crowd (a film of one scene, blank pages) each is
    compared with some that come before it only, so that the number of pairs grows with the number of
    images and not with its square.
    """
    if not len(hashes):
        return np.empty((0, 2), np.int64)
    distinct, of = np.unique(hashes, return_inverse=True)
    order, sizes = np.argsort(of, kind="stable"), np.bincount(of)
    ends = np.cumsum(sizes)

    def crowd(number: int) -> NDArray[np.int64]:
        return order[ends[number] - sizes[number] : ends[number]]

    near = _close(distinct)
    neighbours = np.bincount(near[:, 1], minlength=len(distinct))
    before = np.bincount(near[:, 1], weights=sizes[near[:, 0]], minlength=len(distinct))
    shares = np.where(before <= MOST_ALIKE, MOST_ALIKE, np.maximum(1, MOST_ALIKE // np.maximum(1, neighbours)))
    found = [_across(crowd(number)[:MOST_ALIKE], crowd(number)) for number in np.flatnonzero(sizes > 1).tolist()]
    found += [_across(crowd(one)[: shares[other]], crowd(other)) for one, other in near.tolist()]
    pairs = np.concatenate([np.empty((0, 2), np.int64), *found])
    return np.unique(pairs[pairs[:, 0] < pairs[:, 1]], axis=0)


def _close(distinct: Hashes) -> Pairs:
    """Pairs of different hashes that are near; of each with at most _SMALL_BUCKET before it a band.

    Of five bands of bits, at least one is equal in two hashes that differ in at most four bits
    (pigeonhole), so only hashes that share a band are compared.
    """
    found = [np.empty((0, 2), np.int64)]
    shift = np.uint64(0)
    for width in _BANDS:
        band = (distinct >> shift) & ((np.uint64(1) << width) - np.uint64(1))
        shift += width
        order = np.argsort(band, kind="stable")
        sizes = np.bincount(band.astype(np.int64))
        large = sizes > _SMALL_BUCKET
        found += _near_after(distinct, band, order[~large[band[order]]])
        ends = np.cumsum(sizes)[large]
        for start, end in zip(ends - sizes[large], ends, strict=True):
            found += _near_in(distinct, order[start:end])
    return np.unique(np.concatenate(found), axis=0)


def _near_after(distinct: Hashes, band: Hashes, order: NDArray[np.int64]) -> Iterator[Pairs]:
    """Near ones among hashes in buckets of at most _SMALL_BUCKET: all first with second neighbours, and so on.

    There are thousands of such buckets, too many to go through one by one.
    """
    for step in range(1, _SMALL_BUCKET):
        first, second = order[:-step], order[step:]
        near = (band[first] == band[second]) & (
            np.bitwise_count(distinct[first] ^ distinct[second]) <= MAX_DISTANCE
        )
        yield np.stack([first[near], second[near]], axis=1)


def _near_in(distinct: Hashes, bucket: NDArray[np.int64]) -> Iterator[Pairs]:
    """Near ones among hashes of one band, some rows of the square at a time."""
    step = max(1, _CELLS // len(bucket))
    for start in range(0, len(bucket), step):
        rows = bucket[start : start + step]
        near = np.bitwise_count(distinct[rows, None] ^ distinct[None, bucket]) <= MAX_DISTANCE
        near &= bucket < rows[:, None]
        if np.count_nonzero(near) > MOST_ALIKE:
            near &= np.cumsum(near, axis=1, dtype=np.int32) <= MOST_ALIKE
        row, column = np.nonzero(near)
        if len(row):
            yield np.stack([bucket[column], rows[row]], axis=1)


def _across(first: NDArray[np.int64], second: NDArray[np.int64]) -> Pairs:
    """Each of the one with each of the other."""
    pairs = np.stack([np.repeat(first, len(second)), np.tile(second, len(first))], axis=1)
    return np.sort(pairs, axis=1)


def _differences(
    candidates: pa.Table, read: Callable[[str], bytes], known: pa.Table | None, progress: Progress
) -> NDArray[np.float32]:
    """Mean difference of the grey values of each pair."""
    differences = np.full(candidates.num_rows, np.nan, np.float32)
    if known is not None and known.num_rows:
        place = pc.index_in(_names(candidates), value_set=_names(known).combine_chunks())
        differences = known["difference"].take(place).to_numpy().astype(np.float32)
    picture = lru_cache(_KEPT)(
        lambda image: grey_levels(thumbnail(decode_image(read(image), at_least=SIDE))[None])
    )
    open_ones = np.flatnonzero(np.isnan(differences))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for start in range(0, len(open_ones), _AT_ONCE):
            rows = open_ones[start : start + _AT_ONCE]
            chunk = candidates.take(pa.array(rows))
            ids = pc.unique(pa.chunked_array([*chunk["image_id"].chunks, *chunk["other_id"].chunks]))
            pictures = list(pool.map(picture, ids.to_pylist()))
            one, other = (pc.index_in(chunk[name], ids).to_numpy() for name in ("image_id", "other_id"))
            differences[rows] = [_difference(pictures[a], pictures[b]) for a, b in zip(one, other, strict=True)]
            progress("comparing alike images", start + len(rows), len(open_ones))
    return differences


def _grey_picture(data: bytes) -> Pixels:
    return grey_levels(thumbnail(decode_image(data, at_least=SIDE))[None])


def _difference(one: Pixels, other: Pixels) -> float:
    return cv2.norm(one, other, cv2.NORM_L1) / (255 * one.size)


def _names(pairs: pa.Table) -> pa.ChunkedArray:
    return pc.binary_join_element_wise(pairs["image_id"], pairs["other_id"], "-")


def _numbers(hashes: pa.ChunkedArray) -> Hashes:
    """Hashes of 16 hex digits as numbers."""
    return np.array([int(text, 16) for text in hashes.to_pylist()], np.uint64)
