"""What a server or a disk says of a file without reading it."""

import os
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class FileFacts:
    """A file.

    Attributes:
        size: in bytes; None: its server does not say.
        stamp: of its version; empty: its server does not say.
        modified: when it was changed last; None: its server does not say.
        in_parts: whether parts of it can be read.
    """

    size: int | None
    stamp: str
    modified: datetime | None
    in_parts: bool


def file_stamp(status: os.stat_result) -> str:
    """The version of a local file: its size and time."""
    return f"{status.st_size}:{status.st_mtime_ns}"
