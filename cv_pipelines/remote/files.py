"""Single files on servers, by their URI."""

from urllib.parse import urlsplit

from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_exponential

from cv_pipelines.remote.facts import FileFacts
from cv_pipelines.remote.locations import scheme_of
from cv_pipelines.remote.s3_objects import object_facts, object_stamp, read_object, read_object_range
from cv_pipelines.remote.web import read_url, read_url_range, url_facts, url_stamp

REMOTE = ("s3", "http", "https")
_again = retry(
    retry=retry_if_exception_type(ConnectionError),
    stop=stop_after_attempt(3),
    wait=wait_exponential(0.2),
    reraise=True,
)
"""A file that is read in thousands of parts must not fail by one of them; S3's client tries again by itself."""


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


def remote_facts(uri: str, allow: tuple[str, ...]) -> FileFacts:
    """What the server says of a file.

    Raises:
        OSError: in words; a ConnectionError or TimeoutError where it may pass.
    """
    return object_facts(uri) if scheme_of(uri) == "s3" else _again(url_facts)(uri, allow)


def read_remote_range(uri: str, allow: tuple[str, ...], facts: FileFacts, offset: int, length: int) -> bytes:
    """Read `length` bytes of a file from `offset` on.

    Args:
        uri: of scheme `s3`, `http` or `https`.
        allow: hosts and networks that may be asked though they are not public.
        facts: as `remote_facts` gave them, with `in_parts`.
        offset: in bytes.
        length: in bytes; all of them are there.

    Raises:
        OSError: in words; a ConnectionError or TimeoutError where it may pass, also where the file has changed.
    """
    if scheme_of(uri) == "s3":
        return read_object_range(uri, facts.stamp, offset, length)
    return _again(read_url_range)(uri, allow, facts, offset, length)
