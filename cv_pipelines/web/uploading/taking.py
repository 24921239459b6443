"""From a file that has come whole to files of a data set: itself, or what is in it where it is an archive."""

from dataclasses import dataclass, field
from pathlib import Path

from cv_pipelines.errors import InputError
from cv_pipelines.images.sources.archive import is_archive, open_archive
from cv_pipelines.images.sources.layout import wrappers
from cv_pipelines.images.sources.members import Archive, Limits, Member, distinct
from cv_pipelines.web.problems import Refused
from cv_pipelines.web.uploading.incoming import free_bytes, require_room
from cv_pipelines.web.uploading.names import clean_name
from cv_pipelines.web.uploading.uploads import Uploads

MOST_MEMBERS = 100_000
_MOST_REFUSED = 100


@dataclass
class Taken:
    """What has become of an upload.

    Attributes:
        files: that the data set has now because of it.
        new: those of them that it had not before.
        names: of the first of them.
        refused: names of members of an archive that were not taken, and why; the first hundred.
        refusals: how many there are in all.
    """

    files: int = 0
    new: int = 0
    names: list[str] = field(default_factory=list)
    refused: list[dict[str, str]] = field(default_factory=list)
    refusals: int = 0

    def take(self, name: str, is_new: bool) -> None:
        """Count a file."""
        self.files += 1
        self.new += is_new
        if len(self.names) < _MOST_REFUSED:
            self.names.append(name)

    def refuse(self, name: str, reason: str) -> None:
        """Count a member that is not taken."""
        self.refusals += 1
        if len(self.refused) < _MOST_REFUSED:
            self.refused.append({"name": name, "reason": reason})


def take(uploads: Uploads, name: str, path: Path, room: int) -> Taken:
    """Take an upload into its data set. Whoever is killed here may repeat it: what is there stays one.

    Args:
        uploads: of the data set.
        name: of `clean_name`.
        path: in a folder of its own; an archive has the suffix of one.
        room: bytes that the data set may still get.

    Raises:
        InputError: an archive is a bomb, damaged, or has nothing to take.
        Refused: 507; 413: there is no room for it.
    """
    taken = Taken()
    if is_archive(path):
        _take_members(uploads, name, path, room, taken)
    else:
        taken.take(*uploads.add(name, path))
    uploads.store.flush()
    return taken


def _take_members(uploads: Uploads, name: str, path: Path, room: int, taken: Taken) -> None:
    limits = Limits(MOST_MEMBERS, free_bytes(path.parent))
    try:
        archive = open_archive(path, path.parent / "unpacked", limits)
        members = distinct(archive.members())
    except InputError as error:  # it knows the file by where it lies here, people by what they have sent
        raise InputError(error.code, error.user_message.replace(str(path), name)) from error
    usable = [member for member in members if not member.problem]
    if sum(member.size for member in usable) > room:
        raise full()
    depth = wrappers(member.path.split("/")[:-1] for member in usable)
    for member in members:
        if member.problem:
            taken.refuse(member.path, member.problem)
        else:
            _take_member(uploads, archive, member, depth, path.parent / "member", taken)
    if not taken.files:
        why = f" The first, '{taken.refused[0]['name']}': {taken.refused[0]['reason']}." if taken.refused else ""
        raise InputError("no_usable_files", f"Nothing in '{name}' can be used.{why}")


def _take_member(uploads: Uploads, archive: Archive, member: Member, depth: int, path: Path, taken: Taken) -> None:
    """Unpack one file; one that is damaged or has a bad name does not hold up the others."""
    try:
        name = clean_name("/".join(member.path.split("/")[depth:]))
        data = archive.read(member)
    except InputError as error:
        taken.refuse(member.path, error.user_message)
        return
    except OSError as error:
        taken.refuse(member.path, str(error))
        return
    require_room(path.parent, len(data))
    path.unlink(missing_ok=True)  # its bytes may be a file of the data set by now
    path.write_bytes(data)
    taken.take(*uploads.add(name, path))


def full() -> Refused:
    """What somebody is told whose data set has as much as it may."""
    return Refused(413, "dataset_full", "This data set has as many bytes as one may get by uploading.")
