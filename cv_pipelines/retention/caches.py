"""What is kept on this machine to save time, and can be made again: decoded images, unpacked archives."""

import re
from pathlib import Path

import psutil

_WRITING = re.compile(r".*\.(\d+)\.partial")
"""Name of a file that a process is writing, with the id of the process."""


def clear(folder: Path) -> int:
    """Delete everything in a cache but what a living process is writing; returns how many bytes.

    Whoever reads a file of it keeps it open, and so keeps it to the end.
    """
    deleted = 0
    for path in [path for path in folder.rglob("*") if path.is_file() and not _is_being_written(path)]:
        deleted += path.stat().st_size
        path.unlink()
    return deleted


def _is_being_written(path: Path) -> bool:
    """Whether it is `….PID.partial`, and the process is alive."""
    process = (
        path.suffixes[-2].removeprefix(".") if path.suffixes[-1:] == [".partial"] and path.suffixes[1:] else ""
    )
    return process.isdigit() and psutil.pid_exists(int(process))
