"""Single files on servers, by their URI."""

from urllib.parse import urlsplit

from cv_pipelines.remote.locations import scheme_of
from cv_pipelines.remote.s3_objects import object_stamp, read_object
from cv_pipelines.remote.web import read_url, url_stamp

REMOTE = ("s3", "http", "https")


def remote_problem(uri: str) -> str:
    """Why a URI cannot be one of a file that we fetch; empty where it can."""
    if scheme_of(uri) not in REMOTE:
        return "has an address that is not read; use s3://, http:// or https://"
    try:
        parts = urlsplit(uri)
        parts.port  # noqa: B018 - looks whether it is a number
    except ValueError:
        return "has an address that makes no sense"
    if not parts.hostname or not parts.path.strip("/"):
        return "has an address that names no file"
    if parts.username is not None:
        return "has a password in its address, which others would see"
    return ""


def remote_stamp(uri: str, allow: tuple[str, ...]) -> str:
    """What the server says of a file without sending it; empty where it does not, and reading will say why."""
    try:
        return object_stamp(uri) if scheme_of(uri) == "s3" else url_stamp(uri, allow)
    except OSError:
        return ""


def read_remote(uri: str, stamp: str, allow: tuple[str, ...], most: int) -> bytes:
    """Read a file from its server.

    Args:
        uri: of scheme `s3`, `http` or `https`.
        stamp: as `remote_stamp` gave it.
        allow: hosts and networks that may be asked though they are not public.
        most: bytes that it may have.

    Raises:
        OSError: in words, for they end up in a table that people read.
    """
    return read_object(uri, stamp, most) if scheme_of(uri) == "s3" else read_url(uri, allow, most)
