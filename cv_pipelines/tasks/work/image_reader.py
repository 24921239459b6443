"""From the images that tasks name to pixels; what a worker process does."""

import binascii
import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from cv_pipelines.errors import ResourceError
from cv_pipelines.images.decode import Pixels, decode_opened
from cv_pipelines.images.header import open_image, read_header
from cv_pipelines.images.resize import resize
from cv_pipelines.images.sources.ahead import map_ahead
from cv_pipelines.remote.files import REMOTE
from cv_pipelines.remote.locations import scheme_of
from cv_pipelines.tasks.ledger.outcomes import error_of
from cv_pipelines.tasks.problem import TaskError
from cv_pipelines.tasks.work.image_files import read_uri
from cv_pipelines.workers import time_limit

DECODE_SECONDS = 60
"""After that a decoder, or a local disk, is taken to hang, and the process is ended."""
_REMOTE_THREADS = 8
_log = logging.getLogger(__name__)


class ImageItem(NamedTuple):
    """One image of one task.

    Attributes:
        task: number of the task in its batch.
        place: of the image in its task.
        uri: where it is; None: in the message.
        inline: the file in base64; empty where there is a URI.
    """

    task: int
    place: int
    uri: str | None
    inline: str = ""


class ReadImage(NamedTuple):
    """What became of one image: pixels (size, size, 3), or an error.

    Attributes:
        item: which one; without the file that the message had.
        image_id: SHA-256 of the file; None: it could not be read.
        pixels: as the model takes them.
        error: why there are none.
    """

    item: ImageItem
    image_id: str | None = None
    pixels: Pixels | None = None
    error: TaskError | None = None


@dataclass(frozen=True)
class ImageReader:
    """What is done to images before a model sees them; crosses process borders.

    Attributes:
        size: side that the model takes, in pixels.
        allow: hosts and networks that may be asked though they are not public.
        folders: real paths of folders below which files may be named.
    """

    size: int
    allow: tuple[str, ...]
    folders: tuple[str, ...]

    def __call__(self, items: Sequence[ImageItem]) -> list[ReadImage]:
        """Read and decode images, in their order; a bad one does not stop its neighbours."""
        remote = any(scheme_of(item.uri or "") in REMOTE for item in items)
        files = map_ahead(self._fetch, items, _REMOTE_THREADS) if remote else map(self._fetch_here, items)
        return [self._read(item, file) for item, file in zip(items, files, strict=True)]

    def _fetch_here(self, item: ImageItem) -> bytes | TaskError:
        """Without threads: the alarm is one for the whole process, and network clients have their own limits."""
        with time_limit(DECODE_SECONDS):
            return self._fetch(item)

    def _fetch(self, item: ImageItem) -> bytes | TaskError:
        try:
            if item.uri is None:
                return binascii.a2b_base64(item.inline)
            return read_uri(item.uri, self.allow, self.folders)
        except Exception as error:  # noqa: BLE001 - it is told as this image's, and not its neighbours'
            return _error_of(error)

    def _read(self, item: ImageItem, file: bytes | TaskError) -> ReadImage:
        told = item._replace(inline="")
        if isinstance(file, TaskError):
            return ReadImage(told, error=file)
        image_id = hashlib.sha256(file).hexdigest()
        try:
            with time_limit(DECODE_SECONDS):
                return ReadImage(told, image_id, pixels=_decode(file, self.size))
        except Exception as error:  # noqa: BLE001 - as above
            return ReadImage(told, image_id, error=_error_of(error))


def crashed(item: ImageItem) -> list[ReadImage]:
    """What becomes of an image at which a worker died."""
    message = "The decoder's process died on this file, or did not come to an end."
    error = TaskError(source="input", code="decoder_crashed", message=message)
    return [ReadImage(item._replace(inline=""), error=error)]


def _decode(data: bytes, size: int) -> Pixels:
    """As `decode_for_model`, of a file whose header nobody has checked yet."""
    image = open_image(data)
    read_header(image)
    return resize(decode_opened(image, at_least=size), size)


def _error_of(error: Exception) -> TaskError:
    """What to tell of an exception; of a fault of ours the log says where it is."""
    if isinstance(error, MemoryError):
        return error_of(ResourceError("out_of_memory", "There is not enough memory to read an image."))
    told = error_of(error)
    if told.source == "internal":
        _log.error("An image could not be read, by a fault of ours.", exc_info=error)
    return told
