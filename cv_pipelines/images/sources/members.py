"""The members of an archive, judged by what the archive says of them, before anything is unpacked."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from cv_pipelines.errors import InputError
from cv_pipelines.images.sources.files import name_problem, size_problem
from cv_pipelines.images.sources.layout import is_wanted

_ABSOLUTE = re.compile(r"/|[A-Za-z]:/")
_TABLE = "labels.csv"


@dataclass(frozen=True)
class Limits:
    """What an archive may hold.

    Attributes:
        members: how many.
        total_bytes: all of them unpacked.
        ratio: of unpacked to packed size; not asked of what is no more than `harmless_bytes` when unpacked.
        harmless_bytes: see `ratio`.
    """

    members: int = 500_000
    total_bytes: int = 256 * 1024**3
    ratio: int = 200
    harmless_bytes: int = 64 * 1024**2

    def is_bomb(self, unpacked: int, packed: int) -> bool:
        """Whether so few bytes that give so many are there to do harm."""
        return unpacked > self.harmless_bytes and unpacked > self.ratio * packed


LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive.

    Attributes:
        path: its name, valid unicode.
        place: where its archive finds it.
        size: bytes, unpacked.
        stamp: as in SourceItem; does not depend on where in the archive it lies.
        problem: as in SourceItem.
    """

    path: str
    place: int
    size: int
    stamp: str
    problem: str = ""


class Archive(Protocol):
    """An open archive; threads may share it."""

    def members(self) -> list[Member]:
        """Its files, in their order.

        Raises:
            InputError: it is not to be touched as a whole.
        """

    def read(self, member: Member) -> bytes:
        """Unpack a file.

        Raises:
            OSError: it is damaged.
        """


def clean_path(name: str) -> str:
    """A name without what says nothing: `./cat//1.png` is `cat/1.png`; one that begins with `/` stays so."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    return "/" * name.startswith("/") + "/".join(parts)


def path_problem(path: str) -> str:
    """Why a member of this name is not unpacked; empty where it may be."""
    if _ABSOLUTE.match(path):
        return "an absolute path, which no archive needs"
    if ".." in path.split("/"):
        return "a path that leads out of the archive ('..')"
    return ""


def content_problem(path: str, size: int) -> str:
    """Why a member is not read that lies where it may; empty where it is."""
    if path.rpartition("/")[2] == _TABLE:
        return "a table inside an archive is not read: unpack the archive and add its folder"
    return size_problem(size) or name_problem(path)


def distinct(members: Iterable[Member]) -> list[Member]:
    """Members by path; of those with the same path the last one counts, as when an archive is unpacked."""
    found: dict[str, Member] = {}
    copies = 0
    for member in members:
        earlier = found.get(member.path)
        if earlier:
            copies += 1
            problem = "it stands in the archive more than once; the last one is used"
            name = f"{earlier.path} (earlier copy {copies})"
            found[name] = replace(earlier, path=name, problem=earlier.problem or problem)
        found[member.path] = member
    return sorted(found.values(), key=lambda member: member.path)


def is_wanted_path(path: str) -> bool:
    """Whether a member is part of the data set; see is_wanted."""
    return all(map(is_wanted, path.split("/")))


def too_many(archive: Path, limits: Limits) -> InputError:
    """The error of an archive with more members than we take."""
    message = f"'{archive}' has more than {limits.members:,} members. Unpack it, and add its folder."
    return InputError("archive_members", message)


def bomb(archive: Path, unpacked: int) -> InputError:
    """The error of an archive that would fill the disk, or keep us busy for days."""
    message = f"'{archive}' unpacks to {unpacked // 1024**2:,} MiB or more: it looks made to do harm."
    return InputError("archive_bomb", f"{message} If it is not, unpack it and add its folder.")
