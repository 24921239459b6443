"""Many images from the object store to arrays, decoded ahead of whoever uses them."""

import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from cv_pipelines.images.decode import Pixels
from cv_pipelines.images.resize import decode_for_model
from cv_pipelines.images.stored import StoredImages

_AHEAD = 3
"""Batches decoded before they are asked for: bounds the memory."""


def pixel_batches(images: StoredImages, image_ids: Sequence[str], size: int, batch: int) -> Iterator[Pixels]:
    """Decode images in their order, with every core (decoders release the interpreter's lock).

    Args:
        images: where they are.
        image_ids: which ones; all of them passed ingest, so a failure is not the user's.
        size: side in pixels.
        batch: images an array; the last one may hold fewer.

    Yields:
        RGB, uint8, (at most batch, size, size, 3).
    """
    starts = deque(range(0, len(image_ids), batch))
    queue: deque[list[Future[Pixels]]] = deque()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        try:
            while starts or queue:
                while starts and len(queue) < _AHEAD:
                    start = starts.popleft()
                    ids = image_ids[start : start + batch]
                    queue.append([pool.submit(_load, images, image_id, size) for image_id in ids])
                yield np.stack([future.result() for future in queue.popleft()])
        finally:
            pool.shutdown(cancel_futures=True)


def _load(images: StoredImages, image_id: str, size: int) -> Pixels:
    return decode_for_model(images.read(image_id), size)
