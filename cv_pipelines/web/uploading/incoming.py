"""The body of a request, written to disk as it comes: bounded, never in memory, gone unless it came whole."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from uuid import uuid4

from starlette.concurrency import run_in_threadpool

from cv_pipelines.web.bounds import too_large
from cv_pipelines.web.problems import Refused

KEEP_FREE = 1024**3
"""Bytes of the disk that uploads leave to everybody else."""
_PIECE = 1024**2
_FOLDER = "incoming"


@asynccontextmanager
async def incoming(cache: Path) -> AsyncIterator[Path]:
    """A folder for one upload, empty, gone afterwards.

    What an archive was unpacked to may be much to delete: no page waits for that.
    """
    folder, lock = await run_in_threadpool(_new_folder, cache / _FOLDER)
    try:
        yield folder
    finally:
        await run_in_threadpool(shutil.rmtree, folder, ignore_errors=True)
        os.close(lock)


def clear_incoming(cache: Path) -> None:
    """Delete what killed processes have left: whoever takes an upload holds a lock on its folder."""
    for left in (cache / _FOLDER).glob("*"):
        with suppress(OSError):  # gone meanwhile, or in use
            lock = _lock(left)
            try:
                shutil.rmtree(left, ignore_errors=True)
            finally:
                os.close(lock)


def _new_folder(above: Path) -> tuple[Path, int]:
    above.mkdir(parents=True, exist_ok=True)
    while True:
        folder = above / uuid4().hex
        folder.mkdir()
        with suppress(BlockingIOError, FileNotFoundError):  # cleared by somebody before it was locked
            lock = _lock(folder)
            if folder.exists():
                return folder, lock
            os.close(lock)


def _lock(folder: Path) -> int:
    """Lock a folder until what is returned is closed, by the end of the process too.

    Raises:
        OSError: it is locked, or gone.
    """
    lock = os.open(folder, os.O_RDONLY)
    try:
        flock(lock, LOCK_EX | LOCK_NB)
    except OSError:
        os.close(lock)
        raise
    return lock


async def write_body(pieces: AsyncIterator[bytes], path: Path, most: int) -> int:
    """Write a body into a new file; returns its length in bytes.

    Raises:
        Refused: 413: it is longer than `most`; 507: the disk is full.
    """
    length, held = 0, bytearray()
    with path.open("xb") as file:

        def write() -> None:
            require_room(path.parent, len(held))
            file.write(held)

        def finish() -> None:
            write()
            file.flush()
            os.fsync(file.fileno())

        async for piece in pieces:
            length += len(piece)
            if length > most:
                raise too_large(most)
            held += piece
            if len(held) >= _PIECE:
                await run_in_threadpool(write)
                held.clear()
        await run_in_threadpool(finish)
    return length


def free_bytes(folder: Path) -> int:
    """Bytes that uploads may still take on the disk of a folder."""
    return max(0, shutil.disk_usage(folder).free - KEEP_FREE)


def require_room(folder: Path, wanted: int) -> None:
    """Make sure that the disk of a folder has room.

    Raises:
        Refused: 507, code `no_room`.
    """
    if wanted > free_bytes(folder):
        raise Refused(507, "no_room", "The disk of this server is nearly full. Tell whoever runs it.")
