"""What the sources on a local disk share."""

import os
import stat
from pathlib import Path

from cv_pipelines.images.sources.protocol import SourceItem

SPLIT_NAMES = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
}

MAX_BYTES = 512 * 1024 * 1024


def readable_name(path: str) -> str:
    """A file name as valid unicode; bytes that are none are shown as `\\xNN`."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def stamp_and_problem(path: Path) -> tuple[str, str]:
    """Size and time of a file, and why it must not be opened (empty: it may)."""
    try:
        status = path.stat()
    except (OSError, ValueError) as error:  # a ValueError is a NUL byte in the name
        return "", f"cannot be opened: {getattr(error, 'strerror', error)}"
    if not stat.S_ISREG(status.st_mode):
        return "", "not a regular file (a folder, socket, pipe or device)"
    if status.st_size > MAX_BYTES:
        return "", f"larger than {MAX_BYTES // 1024**2} MiB"
    return f"{status.st_size}:{status.st_mtime_ns}", ""


def read_file(item: SourceItem) -> bytes:
    """Read a listed file."""
    return Path(item.location).read_bytes()
