"""Folders of what can be made again, kept within a budget."""

from contextlib import suppress
from pathlib import Path


def make_room(folder: Path, wanted: int, budget: int) -> None:
    """Delete the files longest unused, so that those of a folder stay within its budget.

    What a killed process has left half written counts like any other.

    Args:
        folder: holds files; whoever uses one sets its time.
        wanted: bytes about to be written.
        budget: bytes that all of them may take.
    """
    found = []
    for path in folder.glob("*"):
        with suppress(FileNotFoundError):  # another process makes room as well
            status = path.stat()
            found.append((status.st_mtime, status.st_size, path))
    total = wanted
    for _, size, path in sorted(found, reverse=True):
        total += size
        if total > budget:
            path.unlink(missing_ok=True)
