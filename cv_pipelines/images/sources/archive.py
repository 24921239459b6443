"""Images in an archive, read where they lie."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePath
from typing import ClassVar

from cv_pipelines.errors import CvError, InputError
from cv_pipelines.images.sources.layout import Placement, are_splits, placement, wrappers
from cv_pipelines.images.sources.members import LIMITS, Archive, Limits, Member, distinct
from cv_pipelines.images.sources.protocol import SourceItem
from cv_pipelines.images.sources.tar_archive import TarArchive
from cv_pipelines.images.sources.unpacking import unpacked
from cv_pipelines.images.sources.zip_archive import ZipArchive
from cv_pipelines.remote.facts import file_stamp

_SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")


@dataclass(frozen=True)
class ArchiveSource:
    """A .zip or .tar file, compressed or not, with the layout of a folder.

    A single folder around everything, as when a folder was packed whole, is not taken for a class.

    Attributes:
        path: the archive.
        scratch: folder into which a compressed .tar file is unpacked once.
        limits: what it may hold.
    """

    path: Path
    scratch: Path
    limits: Limits = LIMITS
    threads: ClassVar[int] = 1

    def items(self) -> Iterator[SourceItem]:
        """See ImageSource."""
        members = distinct(open_archive(self.path, self.scratch, self.limits).members())
        folders = [member.path.split("/")[:-1] for member in members if not member.problem]
        depth = wrappers(folders)
        has_splits = are_splits({names[depth] for names in folders if len(names) > depth})
        for member in members:
            names = member.path.split("/")[depth:-1]
            yield self._item(member, Placement() if member.problem else placement(names, has_splits))

    def read(self, item: SourceItem) -> bytes:
        """See ImageSource."""
        version = file_stamp(self.path.stat())
        try:
            archive, members = _opened(self.path, version, self.scratch, self.limits)
        except CvError as error:
            raise OSError(error.user_message) from error
        member = members.get(item.path)
        if member is None or member.stamp != item.stamp:
            raise OSError("the archive has changed since it was listed")
        return archive.read(member)

    def _item(self, member: Member, place: Placement) -> SourceItem:
        return SourceItem(
            member.path,
            f"{self.path}!/{member.path}",
            place.label,
            place.split,
            place.group,
            "" if member.problem else member.stamp,
            member.problem,
            member.size,
        )


def is_archive(path: PurePath) -> bool:
    """Whether a file's name is that of an archive that we read."""
    return path.name.lower().endswith(_SUFFIXES)


@lru_cache(maxsize=2)
def _opened(path: Path, version: str, scratch: Path, limits: Limits) -> tuple[Archive, dict[str, Member]]:
    """An archive that stays open in this process, with its members by path; `version` changes when it does."""
    archive = open_archive(path, scratch, limits)
    return archive, {member.path: member for member in distinct(archive.members())}


def open_archive(path: Path, scratch: Path, limits: Limits) -> Archive:
    """Open an archive by its name.

    Args:
        path: of `is_archive`.
        scratch: folder into which a compressed .tar file is unpacked once.
        limits: what it may hold.

    Raises:
        InputError: it cannot be read.
    """
    try:
        if path.suffix.lower() == ".zip":
            return ZipArchive(path, limits)
        if path.suffix.lower() == ".tar":
            return TarArchive(path, path, limits)
        plain, is_cut = unpacked(path, scratch, limits)
        return TarArchive(plain, path, limits, is_cut)
    except OSError as error:
        raise InputError("no_archive", f"'{path}' cannot be read: {error.strerror}.") from error
