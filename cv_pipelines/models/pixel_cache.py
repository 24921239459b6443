"""Training images, decoded once into one file on disk and read from there in any order.

Records of equal size, so that an image is one `pread`: nothing is mapped, nothing is kept, and the
memory of a training does not grow with its data.
"""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cv_pipelines.errors import InfrastructureError
from cv_pipelines.hashing import hash_values
from cv_pipelines.images.decode import Pixels
from cv_pipelines.images.loading import pixel_batches
from cv_pipelines.images.stored import StoredImages
from cv_pipelines.progress import Progress
from cv_pipelines.storage.scratch import make_room

CODE_VERSION = "1"
"""Raise it when decoding or resizing changes."""
_BATCH = 64
_KEEP_BYTES = 20 * 1024**3


class PixelCache:
    """Read access to a cache file: record i is image i, RGB, uint8, (size, size, 3)."""

    def __init__(self, path: Path, size: int) -> None:
        self._file = path.open("rb")
        self.size = size
        self.count = os.fstat(self._file.fileno()).st_size // (size * size * 3)

    def read(self, indices: NDArray[np.int64]) -> Pixels:
        """Read images in the order asked for: (len(indices), size, size, 3)."""
        record = self.size * self.size * 3
        pixels = np.empty((len(indices), self.size, self.size, 3), np.uint8)
        for row, index in zip(pixels, indices.tolist(), strict=True):
            if os.preadv(self._file.fileno(), [row.data], index * record) != record:
                raise InfrastructureError("short_cache", "The cache of decoded images was cut off; run it again.")
        return pixels

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def open_cache(
    folder: Path, images: StoredImages, image_ids: Sequence[str], size: int, progress: Progress
) -> PixelCache:
    """Open the cache of these images at this size, decoding them if nobody has yet."""
    name = hash_values({"images": list(image_ids), "size": size, "code": CODE_VERSION})
    path = folder / f"{name[:32]}-{size}.rgb"
    wanted = len(image_ids) * size * size * 3
    if not path.is_file() or path.stat().st_size != wanted:
        folder.mkdir(parents=True, exist_ok=True)
        make_room(folder, wanted, _KEEP_BYTES)
        partial = path.with_suffix(f".{os.getpid()}.partial")
        try:
            _write(partial, images, image_ids, size, progress)
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
    os.utime(path)
    return PixelCache(path, size)


def _write(path: Path, images: StoredImages, image_ids: Sequence[str], size: int, progress: Progress) -> None:
    done = 0
    with path.open("wb") as file:
        for pixels in pixel_batches(images, image_ids, size, _BATCH):
            file.write(pixels.tobytes())
            done += len(pixels)
            progress("decoding for training", done, len(image_ids))
