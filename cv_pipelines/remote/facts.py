"""What a server says of a file without sending it."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class RemoteFacts:
    """A file on a server.

    Attributes:
        size: in bytes; None: the server does not say.
        stamp: of its version; empty: the server does not say.
        modified: when it was changed last; None: the server does not say.
        in_parts: whether the server sends parts of it.
    """

    size: int | None
    stamp: str
    modified: datetime | None
    in_parts: bool
