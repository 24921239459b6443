"""What the folders above an image say of it, the same in every kind of source."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

SPLIT_NAMES = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
}
_JUNK = {"Thumbs.db", "desktop.ini", "__MACOSX"}


@dataclass(frozen=True)
class Placement:
    """Label, split and group of an image, as in SourceItem."""

    label: str | None = None
    split: str | None = None
    group: str = ""


def is_wanted(name: str) -> bool:
    """Hidden files and what operating systems leave behind are not part of a data set."""
    return not name.startswith(".") and name not in _JUNK


def are_splits(top: Collection[str]) -> bool:
    """Whether the folders at the top of a source are its splits: all of them have names of splits."""
    return bool(top) and all(name.lower() in SPLIT_NAMES for name in top)


def placement(folders: Sequence[str], has_splits: bool) -> Placement:
    """Read `class/…` or `split/class/…`; without folders there is no class.

    Args:
        folders: names of the folders above the image, from the top.
        has_splits: whether those at the top are splits.
    """
    split = SPLIT_NAMES[folders[0].lower()] if has_splits and folders else None
    above = folders[:1] if split else []
    inside = folders[len(above) :]
    return Placement(inside[0] if inside else None, split, "/".join([*above, *inside[1:]]))


def wrappers(folders: Iterable[Sequence[str]]) -> int:
    """How many folders (0 or 1) stand around everything, as when a folder is packed whole.

    Such a folder is the only one at the top, with nothing beside it, holds folders itself, and is no split.
    """
    top, is_deep = set(), False
    for names in folders:
        top.add(names[0] if names else "")
        is_deep = is_deep or len(names) > 1
    only = top.pop() if len(top) == 1 else ""
    return int(bool(only) and is_deep and only.lower() not in SPLIT_NAMES)
