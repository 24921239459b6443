"""A plain .tar file: one file after the other, so that each can be had once it is known where it starts."""

import os
import tarfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from cv_pipelines.errors import InputError
from cv_pipelines.images.sources.careful import CarefulFile, TooMuchError
from cv_pipelines.images.sources.files import readable_name
from cv_pipelines.images.sources.members import (
    Limits,
    Member,
    clean_path,
    content_problem,
    is_wanted_path,
    path_problem,
    too_many,
)

_HEADER_BYTES = 1024**2
"""A header may say how long it is: the names and remarks of one file."""
_DAMAGED = (tarfile.TarError, TooMuchError, RecursionError, ValueError, OverflowError)
_REST = Member("(the rest of the archive)", 0, 0, "", "damaged or cut off from here on: pack or copy it again")


class TarArchive:
    """See Archive."""

    def __init__(self, path: Path, shown: Path, limits: Limits, is_cut: bool = False) -> None:
        """Open it.

        Args:
            path: a plain .tar file.
            shown: the archive that people know.
            limits: what it may hold.
            is_cut: it is known not to be whole.
        """
        self._path, self._shown, self._limits, self._is_cut = path, shown, limits, is_cut
        self._file = path.open("rb")
        self._size = path.stat().st_size

    def members(self) -> list[Member]:
        """See Archive."""
        found = list(self._members())
        if len({member.stamp.partition(":")[2] for member in found if member is not _REST}) > 1:
            return found
        # who gives all files the same time tells nothing of their changes: the archive's own time does
        own = self._shown.stat().st_mtime_ns
        return [replace(member, stamp=f"{member.stamp}:{own}") for member in found]

    def read(self, member: Member) -> bytes:
        """See Archive."""
        data = os.pread(self._file.fileno(), member.size, member.place)
        if len(data) != member.size:
            raise OSError("damaged in the archive: cut off")
        return data

    def _members(self) -> Iterator[Member]:
        is_cut = self._is_cut
        try:
            for info in self._headers():
                path = clean_path(readable_name(info.name))
                problem = path_problem(path)
                if not info.isdir() and (problem or is_wanted_path(path)):
                    stamp = f"{info.size}:{info.mtime}"
                    yield Member(path, info.offset_data, info.size, stamp, problem or self._problem(path, info))
        except _DAMAGED:
            is_cut = True
        if is_cut:
            yield _REST

    def _headers(self) -> Iterator[tarfile.TarInfo]:
        """What stands before each file.

        Raises:
            InputError: it is no .tar file at all, or has too many members.
            tarfile.TarError: from here on it cannot be read (and others; see _DAMAGED).
        """
        file = CarefulFile(self._path, _HEADER_BYTES)
        try:
            tar = tarfile.open(fileobj=file, mode="r:", encoding="utf-8", errors="surrogateescape")  # noqa: SIM115
        except _DAMAGED as error:
            message = f"'{self._shown}' is not a .tar file, or damaged: {error}. Pack or copy it again."
            raise InputError("bad_archive", message) from error
        with file, tar:
            count = 0
            while (info := tar.next()) is not None:
                tar.members.clear()  # type: ignore[attr-defined]  # it would keep them all
                count += 1
                if count > self._limits.members:
                    raise too_many(self._shown, self._limits)
                yield info
            if os.pread(self._file.fileno(), tarfile.BLOCKSIZE, tar.offset).strip(b"\0"):
                raise tarfile.ReadError("no end of the archive where it should be")

    def _problem(self, path: str, info: tarfile.TarInfo) -> str:
        if not info.isreg() or info.issparse():
            return "a link or another thing that is not a regular file"
        if info.offset_data + info.size > self._size:
            return "cut off: the archive ends in the middle of it"
        return content_problem(path, info.size)
