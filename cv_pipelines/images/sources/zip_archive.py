"""A .zip file: any member can be had without those before it."""

import lzma
import stat
import zlib
from collections.abc import Iterator
from pathlib import Path
from zipfile import BadZipFile, ZipFile, ZipInfo

from cv_pipelines.errors import InputError
from cv_pipelines.images.sources.careful import CarefulFile, TooMuchError
from cv_pipelines.images.sources.files import MAX_BYTES
from cv_pipelines.images.sources.members import (
    Limits,
    Member,
    bomb,
    clean_path,
    content_problem,
    is_wanted_path,
    path_problem,
    too_many,
)

_DIRECTORY_BYTES = 128
"""Of a member in the archive's directory, on average: 46 and its name."""
_ENCRYPTED = 0x1
_DAMAGED = (BadZipFile, OSError, EOFError, RuntimeError, zlib.error, lzma.LZMAError, TooMuchError)


class ZipArchive:
    """See Archive."""

    def __init__(self, path: Path, limits: Limits) -> None:
        """Read its directory.

        Raises:
            InputError: it is not a .zip file, or has too many members.
        """
        self._path, self._limits = path, limits
        file = CarefulFile(path, limits.members * _DIRECTORY_BYTES)
        try:
            self._zip = ZipFile(file)
        except TooMuchError as error:
            raise too_many(path, limits) from error
        except (BadZipFile, NotImplementedError, UnicodeDecodeError) as error:
            message = f"'{path}' is not a .zip file, or not all of it is there: {error}. Pack or copy it again."
            raise InputError("bad_archive", message) from error
        file.most = MAX_BYTES

    def members(self) -> list[Member]:
        """See Archive."""
        infos = self._zip.infolist()
        if len(infos) > self._limits.members:
            raise too_many(self._path, self._limits)
        found = list(self._members(infos))
        total = sum(member.size for member in found if not member.problem)
        if total > self._limits.total_bytes or self._limits.is_bomb(total, self._path.stat().st_size):
            raise bomb(self._path, total)
        return found

    def read(self, member: Member) -> bytes:
        """See Archive."""
        try:
            return self._zip.read(self._zip.infolist()[member.place])
        except _DAMAGED as error:
            raise OSError(f"damaged in the archive: {error}") from error

    def _members(self, infos: list[ZipInfo]) -> Iterator[Member]:
        for place, info in enumerate(infos):
            path = clean_path(info.filename.replace("\\", "/"))
            problem = path_problem(path)
            if not info.is_dir() and (problem or is_wanted_path(path)):
                stamp = f"{info.CRC:08x}:{info.file_size}"
                yield Member(path, place, info.file_size, stamp, problem or self._problem(path, info))

    def _problem(self, path: str, info: ZipInfo) -> str:
        kind = stat.S_IFMT(info.external_attr >> 16)
        if kind not in (0, stat.S_IFREG):
            return "a link or another thing that is not a regular file"
        if info.flag_bits & _ENCRYPTED:
            return "encrypted: unpack the archive with its password, and add the folder"
        if self._limits.is_bomb(info.file_size, info.compress_size):
            return f"would unpack to {info.file_size // max(1, info.compress_size):,} times its size: a bomb"
        return content_problem(path, info.file_size)
