"""A folder with one subfolder per class, with or without folders for the splits above them."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from cv_pipelines.errors import InputError
from cv_pipelines.images.sources.files import local_location, look_at, read_file, readable_name
from cv_pipelines.images.sources.layout import Placement, are_splits, is_wanted, placement
from cv_pipelines.images.sources.protocol import SourceItem

_Entry = os.DirEntry[str]


@dataclass(frozen=True)
class FolderSource:
    """`root/class/…/file` or `root/split/class/…/file`; files directly in the root have no class.

    Hidden files and what operating systems leave behind are not part of the data set. Links to
    files are followed, links to folders are not.
    """

    root: Path
    threads: ClassVar[int] = 1

    def items(self) -> Iterator[SourceItem]:
        """See ImageSource."""
        if not self.root.is_dir():
            raise InputError("no_folder", f"There is no folder '{self.root}'.")
        has_splits = False
        for path, folders, entries in _walk(str(self.root)):
            if isinstance(entries, OSError):
                yield _unlisted(path, folders, entries)
                continue
            if not folders:
                has_splits = are_splits([entry.name for entry in entries if _is_folder(entry)])
            place = placement(folders, has_splits)
            above = "".join(f"{name}/" for name in folders)
            yield from (_item(entry, above, place) for entry in entries if not _is_folder(entry, linked=True))

    def read(self, item: SourceItem) -> bytes:
        """See ImageSource."""
        return read_file(item)


def _walk(root: str) -> Iterator[tuple[str, list[str], list[_Entry] | OSError]]:
    """Each folder, depth first and sorted, so that two walks agree; one that cannot be listed, with the reason.

    Yields:
        Path, readable names of the folders from the root to this one, entries by name.
    """
    pending: list[tuple[str, list[str]]] = [(root, [])]
    while pending:
        path, folders = pending.pop()
        try:
            entries = _entries(path)
        except OSError as error:
            if not folders:
                message = f"The folder '{root}' cannot be listed: {error.strerror}. Give this user the right to."
                raise InputError("unreadable_folder", message) from error
            yield path, folders, error
            continue
        yield path, folders, entries
        inside = [entry for entry in reversed(entries) if _is_folder(entry)]
        pending += [(entry.path, [*folders, readable_name(entry.name)]) for entry in inside]


def _entries(folder: str) -> list[_Entry]:
    with os.scandir(folder) as entries:
        return sorted((entry for entry in entries if is_wanted(entry.name)), key=lambda entry: entry.name)


def _is_folder(entry: _Entry, linked: bool = False) -> bool:
    try:
        return entry.is_dir(follow_symlinks=linked)
    except OSError:  # a link that leads nowhere
        return False


def _item(entry: _Entry, above: str, place: Placement) -> SourceItem:
    stamp, problem, size = look_at(entry.stat, entry.name)
    path, location = above + readable_name(entry.name), local_location(entry.path)
    return SourceItem(path, location, place.label, place.split, place.group, stamp, problem, size)


def _unlisted(path: str, folders: list[str], error: OSError) -> SourceItem:
    problem = f"a folder that cannot be listed: {error.strerror}. Give this user the right to"
    return SourceItem("/".join(folders), local_location(path), problem=problem)
