"""Whole copies of videos whose servers do not send parts of them; kept, within bounds."""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import get_ident

from cv_pipelines.errors import InputError
from cv_pipelines.progress import Progress
from cv_pipelines.remote.facts import FileFacts
from cv_pipelines.remote.web import url_chunks
from cv_pipelines.storage.scratch import make_room
from cv_pipelines.videos.video import Video

LARGEST = 8 * 1024**3
"""Bytes of a video that is fetched whole."""
BUDGET = 32 * 1024**3
"""Bytes of all copies; those longest unused go first."""
_SLOWEST = 64 * 1024
"""Bytes a second: a server that sends less would keep a worker for days."""


def copy_of(video: Video, facts: FileFacts, progress: Progress) -> Video:
    """The copy of a video in its cache; fetched, where there is none yet.

    Args:
        video: on a web server.
        facts: what the server says of it.
        progress: told of bytes.

    Raises:
        InputError: see require_copyable; code `no_video`: it is not there.
        InfrastructureError: code `unreachable`: its server fails, or is too slow.
    """
    size = require_copyable(video, facts)
    folder = (video.cache or Path()) / "copies"
    identity = f"{video.address}\n{facts.stamp}\n{size}"
    path = folder / hashlib.sha256(identity.encode()).hexdigest()
    if facts.stamp and path.exists():
        os.utime(path)
    else:
        make_room(folder, size, BUDGET)
        _fetch(video, size, path, progress)
    return replace(video, address=str(path))


def require_copyable(video: Video, facts: FileFacts) -> int:
    """The size of a video that may be fetched whole.

    Raises:
        InputError: code `endless`: the server does not say how long it is; `too_large`: more than `LARGEST`.
    """
    if facts.size is None:
        message = f"'{video.address}' may have no end: its server does not say how long it is. Copy it to a file."
        raise InputError("endless", message)
    if facts.size > LARGEST or video.cache is None:
        message = (
            f"'{video.address}' has {facts.size:,} bytes, and its server does not send parts of it; up to "
            f"{LARGEST:,} would be fetched whole. Copy it to a disk, S3 or a server that answers ranges."
        )
        raise InputError("too_large", message)
    return facts.size


def _fetch(video: Video, size: int, path: Path, progress: Progress) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{get_ident()}.{os.getpid()}.partial")
    try:
        with partial.open("wb") as file:
            for chunk in _chunks(video, size):
                file.write(chunk)
                progress("fetching", file.tell(), size)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _chunks(video: Video, size: int) -> Iterator[bytes]:
    try:
        yield from url_chunks(video.address, video.allow, seconds=60 + size / _SLOWEST)
    except (OSError, ValueError) as error:
        raise video.trouble(error) from error
