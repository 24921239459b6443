"""The images that labels are about, as far as a format needs them: their names and sizes, and copies of them."""

import shutil
from collections import defaultdict
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Protocol

from cv_pipelines.errors import InputError

SUFFIXES = (".jpg", ".jpeg", ".png", ".gif", ".bmp", ".tif", ".tiff", ".webp")


class Images(Protocol):
    """Images by their names in the labels."""

    def names(self) -> Iterator[str]:
        """All names, in order."""

    def size(self, name: str) -> tuple[int, int] | None:
        """Width and height as people see the image, upright; None where it is missing or no image.

        Raises:
            OSError: it is there, and the disk does not give it.
        """

    def copy(self, name: str, target: Path) -> bool:
        """Write the file of an image; False where it is missing."""


class NoImages:
    """Only the labels are there."""

    def names(self) -> Iterator[str]:
        """See Images."""
        return iter(())

    def size(self, name: str) -> tuple[int, int] | None:
        """See Images."""
        return None

    def copy(self, name: str, target: Path) -> bool:
        """See Images."""
        return False


class ImageFolder:
    """Images of a folder, by relative path; by the mere file name only where no other folder has that one."""

    def __init__(self, root: Path) -> None:
        """Raises InputError `no_folder` where there is no such folder."""
        if not root.is_dir():
            raise InputError("no_folder", f"There is no folder '{root}' with images.")
        self.root = root

    def __contains__(self, name: object) -> bool:
        """Whether the file of an image can be found."""
        return isinstance(name, str) and self.find(name) is not None

    def names(self) -> Iterator[str]:
        """See Images."""
        return iter(self._names)

    def size(self, name: str) -> tuple[int, int] | None:
        """See Images."""
        from PIL import Image

        from cv_pipelines.images.header import FORMATS, read_header

        path = self.find(name)
        if path is None:
            return None
        try:
            with Image.open(path, formats=FORMATS) as image:
                header = read_header(image)
        except (OSError, ValueError, InputError) as error:
            if getattr(error, "errno", None) is not None:  # it is the disk's fault, not that of the file
                raise
            return None
        return header.width, header.height

    def copy(self, name: str, target: Path) -> bool:
        """See Images."""
        path = self.find(name)
        if path is None:
            return False
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
        return True

    def find(self, name: str) -> Path | None:
        """The file of an image, or None; never one that two folders have."""
        if name in self._known:
            return self.root / name
        alike = self._by_file_name.get(name.rsplit("/", 1)[-1], ())
        return self.root / alike[0] if len(alike) == 1 else None

    @cached_property
    def _names(self) -> list[str]:
        files = (path for path in self.root.rglob("*") if path.suffix.lower() in SUFFIXES)
        return sorted(path.relative_to(self.root).as_posix() for path in files if path.is_file())

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(self._names)

    @cached_property
    def _by_file_name(self) -> dict[str, list[str]]:
        found: defaultdict[str, list[str]] = defaultdict(list)
        for name in self._names:
            found[name.rsplit("/", 1)[-1]].append(name)
        return dict(found)
