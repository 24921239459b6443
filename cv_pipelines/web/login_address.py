"""Where to log in, and where to go on afterwards: never to another site."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

HOME = "/datasets"


def login_address(scope: Mapping[str, Any]) -> str:
    """The address of the login page, which leads back to what was asked for."""
    query = scope["query_string"].decode("latin-1")
    path = quote(scope["path"]) + (f"?{query}" if query else "")
    return f"/login?next={quote(path, safe='')}"


def local_address(address: str) -> str:
    """An address of ours as it is; HOME for any other, which a link may have been made up to lead to.

    Browsers take `//host`, `/\\host` and what control characters stand in for other hosts.
    """
    ours = address.startswith("/") and not address.startswith("//") and "\\" not in address
    return address if ours and address.isascii() and address.isprintable() else HOME
