"""How people write where images are: a path or a URI."""

import os
import re
from pathlib import Path

_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*)://", re.IGNORECASE)


def scheme_of(location: str) -> str:
    """`s3`, `https`, …; empty for a path."""
    found = _SCHEME.match(location)
    return found[1].lower() if found else ""


def absolute_path(path: str) -> Path:
    """A path that is the same from anywhere, without `..`.

    Links stay as they are named, but for those that a `..` leads out of: where that goes, only the disk knows.
    """
    whole = Path(os.path.expanduser(path)).absolute()  # noqa: PTH111 - pathlib's fails where there is no such user
    end = max((place for place, part in enumerate(whole.parts, start=1) if part == ".."), default=0)
    if not end or "\0" in path:
        return whole
    return Path(os.path.realpath(Path(*whole.parts[:end])), *whole.parts[end:])


def normal_location(source: str) -> str:
    """A source so that it can be found from anywhere: paths become absolute, URIs stay; so do options (`#…`)."""
    return source if scheme_of(source) else str(absolute_path(source))
