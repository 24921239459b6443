"""Copying a store into another: a backup, a restore, a move to S3."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from cv_pipelines.errors import InfrastructureError
from cv_pipelines.progress import Progress, silent
from cv_pipelines.storage import packs
from cv_pipelines.storage.protocol import ObjectStore, StoredObject

_THREADS = 16
"""Requests at once; each holds one object in memory."""


@dataclass(frozen=True)
class Copied:
    """What a copy came to: objects in the source, how many of them were copied, and their bytes."""

    objects: int
    copied: int
    bytes: int


def back_up(store: ObjectStore, backup: ObjectStore, progress: Progress = silent) -> Copied:
    """Copy what the backup lacks or has as it once was; nothing in it is deleted."""

    def is_new(one: StoredObject, present: StoredObject) -> bool:
        return one.size != present.size or one.written_at > present.written_at

    return _copy(store, backup, is_new, progress)


def restore(backup: ObjectStore, store: ObjectStore, progress: Progress = silent) -> Copied:
    """Copy what the store lacks or has cut off; an image that was erased since stays so."""

    def is_cut_off(one: StoredObject, present: StoredObject) -> bool:
        return one.size != present.size and not _is_whole_pack(store, present)

    return _copy(backup, store, is_cut_off, progress)


def _copy(
    source: ObjectStore,
    target: ObjectStore,
    is_wanted: Callable[[StoredObject, StoredObject], bool],
    progress: Progress,
) -> Copied:
    """Copy what is not in the target, and what is and wanted all the same."""
    there = {one.key: one for one in target.objects("")}
    listed = list(source.objects(""))
    wanted = [one for one in listed if one.key not in there or is_wanted(one, there[one.key])]
    with ThreadPoolExecutor(_THREADS) as pool:
        for done, _ in enumerate(pool.map(lambda one: _copy_object(source, target, one.key), wanted), start=1):
            progress("copying objects", done, len(wanted))
    target.flush()
    return Copied(len(listed), len(wanted), sum(one.size for one in wanted))


def _copy_object(source: ObjectStore, target: ObjectStore, key: str) -> None:
    try:
        target.replace(key, source.get(key))
    except InfrastructureError as error:
        if error.code != "missing_object":  # deleted since it was listed: nobody needs it
            raise


def _is_whole_pack(store: ObjectStore, one: StoredObject) -> bool:
    if not one.key.startswith(packs.PREFIX):
        return False
    try:
        list(packs.contents(store, one))
    except InfrastructureError:
        return False
    return True
