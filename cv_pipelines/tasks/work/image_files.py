"""The bytes of an image file that a stranger has named: from a server, or from a folder that is open to tasks."""

import errno
import os
import stat
from collections.abc import Sequence
from pathlib import Path

from cv_pipelines.errors import CvError, InfrastructureError, InputError
from cv_pipelines.images.sources.files import MAX_BYTES, local_path, look_at
from cv_pipelines.remote.files import read_remote, remote_problem
from cv_pipelines.remote.locations import scheme_of
from cv_pipelines.storage.s3_client import to_cv_error
from cv_pipelines.tasks.work.open_folders import open_folder

_THE_CALLERS = {
    errno.ENOENT,
    errno.EACCES,
    errno.EPERM,
    errno.ENOTDIR,
    errno.EISDIR,
    errno.ELOOP,
    errno.ENAMETOOLONG,
}
"""Errors of a local disk that trying again does not mend."""


def read_uri(uri: str, allow: tuple[str, ...], folders: tuple[str, ...]) -> bytes:
    """Read a file.

    Args:
        uri: of scheme `s3`, `http`, `https` or `file`.
        allow: hosts and networks that may be asked though they are not public.
        folders: real paths of folders below which files may be named; empty: none at all.

    Raises:
        InputError: code `bad_address`, `forbidden_file` or `unreadable`; it stays so.
        InfrastructureError: code `unreachable`; it may pass.
    """
    return _read_local(uri, folders) if scheme_of(uri) == "file" else _read_remote(uri, allow)


def _read_remote(uri: str, allow: tuple[str, ...]) -> bytes:
    if problem := remote_problem(uri):
        raise InputError("bad_address", f"Cannot be read: it {problem}.")
    try:
        return read_remote(uri, "", allow, MAX_BYTES)
    except OSError as error:
        raise _trouble(error, _may_pass(error, uri)) from error
    except ValueError as error:  # what a library thinks of an odd name or address
        raise InputError("bad_address", f"Cannot be read: {error}.") from error


def _may_pass(error: OSError, uri: str) -> bool:
    if scheme_of(uri) == "s3" and isinstance(error.__cause__, Exception):
        return isinstance(to_cv_error(error.__cause__, uri), InfrastructureError)
    return isinstance(error, (ConnectionError, TimeoutError))


def _read_local(uri: str, folders: tuple[str, ...]) -> bytes:
    path, folder = open_folder(_path_of(uri), folders)
    try:
        return _read_regular(folder, path)
    except OSError as error:
        raise _trouble(error, error.errno not in _THE_CALLERS) from error


def _path_of(uri: str) -> str:
    host, _, path = uri.removeprefix("file://").partition("/")
    if host not in ("", "localhost") or not path or "\0" in local_path(f"file:///{path}"):
        message = "Cannot be read: the address of a file is file:// and a whole path, as in file:///data/1.png."
        raise InputError("bad_address", message)
    return local_path(f"file:///{path}")


def _read_regular(folder: Path, path: Path) -> bytes:
    status = path.lstat()
    _, problem, _ = look_at(lambda: status, path.name)
    if problem:
        raise InputError("unreadable", f"Cannot be read: {problem}.")
    with os.fdopen(_open_below(folder, path.relative_to(folder).parts), "rb") as file:
        now = os.fstat(file.fileno())
        return file.read(min(now.st_size, MAX_BYTES)) if stat.S_ISREG(now.st_mode) else b""


def _open_below(folder: Path, parts: Sequence[str]) -> int:
    """Open a file step by step, following no link: one that was put there since the path was looked at fails."""
    here = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    for left, part in zip(reversed(range(len(parts))), parts, strict=True):
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | (os.O_DIRECTORY if left else 0)
        try:
            below = os.open(part, flags, dir_fd=here)
        finally:
            os.close(here)
        here = below
    return here


def _trouble(error: OSError, may_pass: bool) -> CvError:
    words = f"Cannot be read: {str(error.strerror or error).rstrip('.')}."
    return InfrastructureError("unreachable", words) if may_pass else InputError("unreadable", words)
