"""Where a video is: a file, an object on S3, or a file on a web server."""

import errno
import stat
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

from cv_pipelines.errors import CvError, InfrastructureError, InputError
from cv_pipelines.remote.facts import FileFacts, file_stamp
from cv_pipelines.remote.files import REMOTE, remote_facts, remote_problem
from cv_pipelines.remote.locations import absolute_path, scheme_of
from cv_pipelines.settings import Settings, load_settings

VIDEOS = {".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ts", ".mts", ".wmv", ".flv", ".3gp"}
"""Suffixes by which a video is known where nobody names it."""
_MAY_PASS = {errno.EIO, errno.ESTALE, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOTCONN, errno.EHOSTDOWN}
"""Errors of a local disk, or one that is mounted from elsewhere, that are no fault of the file."""


@dataclass(frozen=True)
class Video:
    """A video by its address; a value, that processes may hand each other.

    Attributes:
        address: a path, `s3://bucket/key`, `http://…` or `https://…`.
        allow: hosts and networks that may be asked though they are not public.
        cache: folder of what is kept of videos on this machine, within bounds; None: nothing is.
    """

    address: str
    allow: tuple[str, ...] = ()
    cache: Path | None = None

    @property
    def is_remote(self) -> bool:
        """Whether a server has it."""
        return scheme_of(self.address) in REMOTE

    @property
    def name(self) -> str:
        """Its file name."""
        if scheme_of(self.address) in ("http", "https"):
            return unquote(urlsplit(self.address).path).rstrip("/").rpartition("/")[2]
        return self.address.rpartition("/")[2]

    def look(self) -> FileFacts:
        """Size, version and time as the disk or the server tells them; one request.

        Raises:
            InputError: code `no_video`: it is not there, or may not be read.
            InfrastructureError: code `unreachable`: the server does not answer now.
        """
        try:
            return remote_facts(self.address, self.allow) if self.is_remote else _file_facts(Path(self.address))
        except (OSError, ValueError) as error:  # a ValueError: what a library thinks of an odd name or address
            raise self.trouble(error) from error

    def trouble(self, error: Exception) -> CvError:
        """The error of ours that stands for one of reading; whether it may pass is in its type."""
        words = str(getattr(error, "strerror", None) or error).rstrip(".")
        message = f"'{self.address}' cannot be read: {words}."
        may_pass = isinstance(error, (ConnectionError, TimeoutError)) or getattr(error, "errno", None) in _MAY_PASS
        if may_pass:
            return InfrastructureError("unreachable", message, repr(error))
        return InputError("no_video", message, repr(error))


def find_video(address: str, settings: Settings | None = None) -> Video:
    """The video of an address as people write it; nothing is opened or asked.

    Args:
        address: a path, a `file://` URI, `s3://bucket/key`, `http://…` or `https://…`.
        settings: which servers may be asked, and where the cache is; default: those of the environment.

    Raises:
        InputError: code `bad_address`: it is none of these.
    """
    settings = settings or load_settings()
    scheme = scheme_of(address)
    if scheme == "file":
        address = str(absolute_path(_path_of(address)))
    elif scheme:
        if problem := remote_problem(address):
            raise InputError("bad_address", f"The video '{address}' {problem}.")
    else:
        address = str(absolute_path(address))
    return Video(address, settings.url_allow, settings.cache / "videos")


def _path_of(uri: str) -> str:
    parts = urlsplit(uri)
    if parts.netloc not in ("", "localhost") or not parts.path:
        message = f"'{uri}' names no file: write file:// and a whole path, as in file:///data/film.mp4."
        raise InputError("bad_address", message)
    return unquote(uri.partition("://")[2].removeprefix("localhost"))


def _file_facts(path: Path) -> FileFacts:
    """Facts of a file; what is none (a pipe may never end) is refused."""
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        raise OSError("it is not a regular file")
    modified = datetime.fromtimestamp(found.st_mtime, UTC)
    return FileFacts(found.st_size, file_stamp(found), modified, in_parts=True)
