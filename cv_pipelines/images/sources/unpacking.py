"""Compressed .tar files, unpacked once: their members cannot be had without those before them."""

import bz2
import gzip
import lzma
import os
import zlib
from collections.abc import Callable
from pathlib import Path

from cv_pipelines.errors import InfrastructureError, InputError
from cv_pipelines.hashing import hash_values
from cv_pipelines.images.sources.members import Limits, bomb
from cv_pipelines.storage.scratch import make_room

_Stream = gzip.GzipFile | bz2.BZ2File | lzma.LZMAFile
_OPENERS: dict[str, Callable[[Path], _Stream]] = {
    ".gz": gzip.GzipFile,
    ".tgz": gzip.GzipFile,
    ".bz2": bz2.BZ2File,
    ".tbz2": bz2.BZ2File,
    ".xz": lzma.LZMAFile,
    ".txz": lzma.LZMAFile,
}
_CHUNK = 1 << 20
_KEEP_BYTES = 50 * 1024**3


def unpacked(archive: Path, scratch: Path, limits: Limits) -> tuple[Path, bool]:
    """The plain .tar file inside a compressed one, from the scratch folder where it has been unpacked before.

    Returns:
        Its path, and whether it was cut off because the archive is damaged.

    Raises:
        InputError: nothing of it can be unpacked, or more than should be.
        InfrastructureError: there is no room for it.
    """
    status = archive.stat()
    version = {"path": str(archive.absolute()), "size": status.st_size, "time": status.st_mtime_ns}
    name = hash_values(version)[:32]
    for path, is_cut in ((scratch / f"{name}.tar", False), (scratch / f"{name}.cut.tar", True)):
        if path.is_file():
            os.utime(path)
            return path, is_cut
    scratch.mkdir(parents=True, exist_ok=True)
    make_room(scratch, status.st_size, _KEEP_BYTES)
    partial = scratch / f"{name}.{os.getpid()}.partial"
    try:
        is_cut = _write(partial, archive, limits)
        return partial.replace(scratch / (f"{name}.cut.tar" if is_cut else f"{name}.tar")), is_cut
    except OSError as error:
        message = f"'{archive}' cannot be unpacked into '{scratch}': {error.strerror}."
        raise InfrastructureError("unpacking", message) from error
    finally:
        partial.unlink(missing_ok=True)


def _write(path: Path, archive: Path, limits: Limits) -> bool:
    """Unpack; says whether the archive was damaged, so that only what came before the damage is there."""
    done, packed = 0, archive.stat().st_size
    with path.open("wb") as file, _OPENERS[archive.suffix.lower()](archive) as source:
        try:
            while chunk := source.read1(_CHUNK):  # gives out what comes before the damage
                done += len(chunk)
                if done > limits.total_bytes or limits.is_bomb(done, packed):
                    raise bomb(archive, done)
                file.write(chunk)
        except (EOFError, OSError, zlib.error, lzma.LZMAError) as error:
            if getattr(error, "errno", None):
                raise  # it is the disk
            if not done:
                message = f"'{archive}' is not what its name says, or damaged: {error}. Pack or copy it again."
                raise InputError("bad_archive", message) from error
            return True
    return False
