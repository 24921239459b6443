"""Near duplicates: images that show the same with other bytes (re-saved, resized, recoloured a little)."""

from collections.abc import Callable, Iterator

import cv2
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cv_pipelines.images.decode import Pixels
from cv_pipelines.images.manifest import NEAR_DUPLICATES

MAX_DISTANCE = 4
"""Bits of the perceptual hash that may differ."""
MAX_DIFFERENCE = 0.03
"""Mean difference of grey values at 64 x 64, of 1."""
MIN_SIDE = 64
"""Smaller images are too alike by nature: a hash of 8 x 8 pixels says little."""
_BANDS = np.array([13, 13, 13, 13, 12], np.uint64)


def near_duplicates(images: pa.Table, read: Callable[[str], Pixels]) -> pa.Table:
    """Find pairs by perceptual hash and confirm each by its pixels.

    Args:
        images: columns `image_id`, `width`, `height`, `perceptual_hash`.
        read: pixels (height, width, 3) of an image id.

    Returns:
        Pairs, as in NEAR_DUPLICATES, ordered.
    """
    large = (images["width"].to_numpy() >= MIN_SIDE) & (images["height"].to_numpy() >= MIN_SIDE)
    ids = images["image_id"].to_numpy(zero_copy_only=False)[large]
    texts = images["perceptual_hash"].to_numpy(zero_copy_only=False)[large]
    hashes = np.array([int(text, 16) for text in texts], np.uint64)
    pairs = sorted((min(ids[a], ids[b]), max(ids[a], ids[b]), d) for a, b, d in _candidates(hashes))
    wanted = sorted({image for pair in pairs for image in pair[:2]})
    pictures = {image: _thumbnail(read(image)) for image in wanted}
    confirmed = [pair for pair in pairs if _same_picture(pictures[pair[0]], pictures[pair[1]])]
    columns = zip(*confirmed, strict=True) if confirmed else ([], [], [])
    return pa.table([list(column) for column in columns], schema=NEAR_DUPLICATES)


def _candidates(hashes: NDArray[np.uint64]) -> Iterator[tuple[int, int, int]]:
    """Pairs at most MAX_DISTANCE bits apart, each once.

    Of five bands of bits, at least one is equal in two hashes that differ in at most four bits
    (pigeonhole), so only images that share a band are compared.
    """
    seen: set[tuple[int, int]] = set()
    shift = np.uint64(0)
    for width in _BANDS:
        band = (hashes >> shift) & ((np.uint64(1) << width) - np.uint64(1))
        shift += width
        order = np.argsort(band, kind="stable")
        starts = np.flatnonzero(np.diff(band[order])) + 1
        for bucket in np.split(order, starts):
            for position, first in enumerate(bucket[:-1]):
                others = bucket[position + 1 :]
                distances = np.bitwise_count(hashes[others] ^ hashes[first])
                for place in np.flatnonzero(distances <= MAX_DISTANCE):
                    pair = (int(min(first, others[place])), int(max(first, others[place])))
                    if pair not in seen:
                        seen.add(pair)
                        yield *pair, int(distances[place])


def _same_picture(first: NDArray[np.float32], second: NDArray[np.float32]) -> bool:
    return bool(np.abs(first - second).mean() <= MAX_DIFFERENCE)


def _thumbnail(pixels: Pixels) -> NDArray[np.float32]:
    small = cv2.resize(pixels, (MIN_SIDE, MIN_SIDE), interpolation=cv2.INTER_AREA)
    return cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255.0
