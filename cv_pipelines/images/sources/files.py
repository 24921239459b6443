"""What the sources on a local disk share."""

import os
import stat
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote_to_bytes

from cv_pipelines.images.sources.protocol import SourceItem
from cv_pipelines.remote import limits
from cv_pipelines.remote.facts import file_stamp
from cv_pipelines.videos.video import VIDEOS

MAX_BYTES = 512 * 1024 * 1024
ARCHIVES = {".zip", ".tar", ".tgz", ".tbz2", ".txz", ".gz", ".bz2", ".xz", ".7z", ".rar"}


def readable_name(path: str) -> str:
    """A file name as valid unicode; bytes that are none are shown as `\\xNN`."""
    return path if path.isascii() else os.fsencode(path).decode("utf-8", "backslashreplace")


def local_location(path: str) -> str:
    """A path as a location: itself, or as a `file://` URI where it is no valid unicode."""
    return path if readable_name(path) == path else Path(path).absolute().as_uri()


def local_path(location: str) -> str:
    """The path that `local_location` was made of."""
    if not location.startswith("file://"):
        return location
    return os.fsdecode(unquote_to_bytes(location.removeprefix("file://")))


def size_problem(size: int) -> str:
    """Why a file of this size (bytes) is not read; empty where it is."""
    return limits.size_problem(size, MAX_BYTES)


def name_problem(name: str) -> str:
    """Why a file of this name is not an image, where the name says so; empty elsewhere."""
    suffix = name[name.rfind(".") :].lower()  # a Path takes fifty times as long, and every file is asked
    if suffix in VIDEOS:
        return "a video: add it as a data set of its own, with 'dataset add NAME FILE'"
    if suffix in ARCHIVES:
        return "an archive: add it as a data set of its own, or unpack it"
    return ""


def look_at(status: Callable[[], os.stat_result], name: str) -> tuple[str, str, int | None]:
    """A file from outside, without opening it.

    Args:
        status: asks for its status.
        name: of the file.

    Returns:
        Stamp, problem and size as in SourceItem.
    """
    try:
        found = status()
    except (OSError, ValueError) as error:  # a ValueError is a NUL byte in the name
        return "", f"cannot be opened: {getattr(error, 'strerror', None) or error}", None
    if not stat.S_ISREG(found.st_mode):
        return "", "not a regular file (a folder, socket, pipe or device)", None
    problem = size_problem(found.st_size) or name_problem(name)
    return "" if problem else file_stamp(found), problem, found.st_size


def read_file(item: SourceItem) -> bytes:
    """Read a listed file."""
    with open(local_path(item.location), "rb", buffering=0) as file:  # noqa: PTH123 - a Path costs as much as the read
        data = file.readall()
        if item.stamp and item.stamp != file_stamp(os.fstat(file.fileno())):
            raise OSError("it has changed since it was listed; sync again")
    return data
