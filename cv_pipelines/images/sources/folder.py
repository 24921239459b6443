"""A folder with one subfolder per class, with or without folders for the splits above them."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from cv_pipelines.errors import InputError
from cv_pipelines.images.sources.files import SPLIT_NAMES, read_file, readable_name, stamp_and_problem
from cv_pipelines.images.sources.protocol import SourceItem

_JUNK = {"Thumbs.db", "desktop.ini", "__MACOSX"}


@dataclass(frozen=True)
class FolderSource:
    """`root/class/…/file` or `root/split/class/…/file`; files directly in the root have no class.

    Hidden files and what operating systems leave behind are not part of the data set. Links to
    files are followed, links to folders are not.
    """

    root: Path

    def items(self) -> Iterator[SourceItem]:
        """See ImageSource."""
        if not self.root.is_dir():
            raise InputError("no_folder", f"There is no folder '{self.root}'.")
        top = _top(self.root)
        has_splits = bool(top) and all(name.lower() in SPLIT_NAMES for name in top)
        for path in _files(self.root):
            yield self._item(path, has_splits)

    def read(self, item: SourceItem) -> bytes:
        """See ImageSource."""
        return read_file(item)

    def _item(self, path: Path, has_splits: bool) -> SourceItem:
        parts = [readable_name(part) for part in path.relative_to(self.root).parts]
        folders = parts[:-1]
        split = SPLIT_NAMES[folders[0].lower()] if has_splits and folders else None
        above = folders[:1] if split else []
        inside = folders[len(above) :]
        stamp, problem = stamp_and_problem(path)
        return SourceItem(
            path="/".join(parts),
            location=str(path),
            label=inside[0] if inside else None,
            split=split,
            group="/".join([*above, *inside[1:]]),
            stamp=stamp,
            problem=problem,
        )


def _refuse(error: OSError) -> NoReturn:
    message = f"The folder '{error.filename}' cannot be listed: {error.strerror}. Give this user the right to."
    raise InputError("unreadable_folder", message) from error


def _top(root: Path) -> list[str]:
    """The folders directly in the root; links are not folders here."""
    try:
        entries = list(os.scandir(root))
    except OSError as error:
        _refuse(error)
    return [entry.name for entry in entries if entry.is_dir(follow_symlinks=False) and _wanted(entry.name)]


def _wanted(name: str) -> bool:
    return not name.startswith(".") and name not in _JUNK


def _files(folder: Path) -> Iterator[Path]:
    """All files below a folder, depth first and sorted, so that two walks agree."""
    for base, folders, files in os.walk(folder, onerror=_refuse):
        folders[:] = sorted(name for name in folders if _wanted(name))
        for name in sorted(files):
            if _wanted(name):
                yield Path(base, name)
