"""How people write where images are: a path or a URI."""

import re
from pathlib import Path

_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*)://", re.IGNORECASE)


def scheme_of(location: str) -> str:
    """`s3`, `https`, …; empty for a path."""
    found = _SCHEME.match(location)
    return found[1].lower() if found else ""


def normal_location(source: str) -> str:
    """A source so that it can be found from anywhere: paths become absolute, URIs stay; so do options (`#…`)."""
    return source if scheme_of(source) else str(Path(source).expanduser().absolute())
