"""Formats that are folders: what lies below one, and where the file of an image goes."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import TypeVar

from cv_pipelines.annotations.formats.values import image_name
from cv_pipelines.annotations.images import SUFFIXES
from cv_pipelines.annotations.report import ItemError, Report
from cv_pipelines.errors import InputError

T = TypeVar("T")


def files_below(source: Path, suffix: str) -> list[tuple[Path, str]]:
    """Files of a suffix, with their paths relative to the source, in order; a single file is itself.

    Raises:
        InputError: `no_labels`: there are none.
    """
    if source.is_file():
        return [(source, source.name)]
    files = (path for path in source.rglob(f"*{suffix}") if path.is_file())
    found = sorted((path.relative_to(source).as_posix(), path) for path in files)
    if not found:
        raise InputError("no_labels", f"There are no {suffix} files in '{source}'.")
    return [(path, name) for name, path in found]


def load_each(source: Path, suffix: str, load: Callable[[Path], T], report: Report) -> Iterator[tuple[str, T]]:
    """What each file holds, with its relative path; one that cannot be read is a problem, and the others go on.

    Args:
        source: a folder, or a single file.
        suffix: of the files.
        load: raises an InputError where a file is not what it should be.
        report: takes the problems.

    Raises:
        InputError: `no_labels`; of a single file, whatever is wrong with it.
    """
    for path, name in files_below(source, suffix):
        try:
            content = load(path)
        except InputError as error:
            if source.is_file():
                raise
            report.problem(error.code, name, error.user_message)
        else:
            yield name, content


def without(folders: Iterable[str], words: Iterable[str]) -> list[str]:
    """Folders of a path without the first one that is one of these words, written either way."""
    folders, words = list(folders), {word.lower() for word in words}
    for place, folder in enumerate(folders):
        if folder.lower() in words:
            return folders[:place] + folders[place + 1 :]
    return folders


def folders_of(name: str) -> list[str]:
    """The folders of a relative path."""
    return list(PurePosixPath(name).parts[:-1])


class FileNames:
    """A file for each image, in the same folders; images that differ only in their suffix keep it."""

    def __init__(self, suffix: str) -> None:
        self._suffix = suffix
        self._taken: set[str] = set()

    def of(self, image: str) -> str:
        """The relative path of an image's file.

        Raises:
            ItemError: `bad_name`: not a relative path, or two images would share a file.
        """
        if image_name(image) != image:
            raise ItemError("bad_name", f"'{image}' is not a relative path")
        suffix = PurePosixPath(image).suffix
        stem = image[: -len(suffix)] if suffix.lower() in SUFFIXES else image
        name = next((one for one in (stem, image) if one not in self._taken), None)
        if name is None:
            raise ItemError("same_file", f"a second image with the file {stem}{self._suffix}")
        self._taken.add(name)
        return name + self._suffix


def write_text(target: Path, name: str, text: str) -> None:
    """Write a file and the folders that it needs."""
    path = target / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
