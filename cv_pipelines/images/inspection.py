"""From the files of a source to facts or reasons; what a worker process does."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from cv_pipelines.errors import InputError, ResourceError
from cv_pipelines.images.decode import decode_image
from cv_pipelines.images.header import read_header
from cv_pipelines.images.sources.protocol import ImageSource, SourceItem
from cv_pipelines.images.statistics import image_statistics, perceptual_hash
from cv_pipelines.storage.protocol import ObjectStore

UNREADABLE = "unreadable"
"""Code of a file that could not be had or decoded for want of something that may be there next time."""


@dataclass(frozen=True)
class Inspection:
    """One file, read: facts of a good image, or the code and reason of a bad one."""

    item: SourceItem
    facts: dict[str, object] | None
    code: str = ""
    reason: str = ""


def image_key(image_id: str) -> str:
    """Where the bytes of an image lie in the object store."""
    return f"images/{image_id[:2]}/{image_id}"


def inspect_items(source: ImageSource, store: ObjectStore, items: Sequence[SourceItem]) -> list[Inspection]:
    """Read, check, decode and store files; a bad one does not stop its neighbours."""
    return [_inspect(source, store, item) for item in items]


def _inspect(source: ImageSource, store: ObjectStore, item: SourceItem) -> Inspection:
    if item.problem:
        return Inspection(item, None, "unusable", item.problem)
    try:
        data = source.read(item)
    except OSError as error:
        return Inspection(item, None, UNREADABLE, f"cannot be read: {error.strerror or error}")
    try:
        return Inspection(item, _facts(store, data))
    except InputError as error:
        return Inspection(item, None, error.code, error.user_message)
    except ResourceError as error:
        return Inspection(item, None, UNREADABLE, error.user_message)


def _facts(store: ObjectStore, data: bytes) -> dict[str, object]:
    header = read_header(data)
    pixels = decode_image(data)
    image_id = hashlib.sha256(data).hexdigest()
    store.put(image_key(image_id), data)
    return {
        "image_id": image_id,
        "uri": image_key(image_id),
        **asdict(header),
        "width": pixels.shape[1],
        "height": pixels.shape[0],
        "bytes": len(data),
        "perceptual_hash": perceptual_hash(pixels),
        **image_statistics(pixels),
    }
