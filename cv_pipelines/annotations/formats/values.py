"""Names and numbers as strangers write them, made ours or refused."""

import re
from pathlib import PurePosixPath

from cv_pipelines.annotations.annotation import Value, in_range
from cv_pipelines.annotations.images import SUFFIXES
from cv_pipelines.annotations.report import ItemError

_MOST_NAME = 1024
_UNSPEAKABLE = re.compile("[\x00-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
"""Control signs, halves of pairs: what neither a file system, nor XML, nor UTF-8 can hold."""
_DRIVE = re.compile(r"^[A-Za-z]:")


def image_name(text: object) -> str:
    """An image's name as a relative path with `/`.

    A path of somebody else's machine loses its drive and its root, `.` and `..` are resolved.

    Raises:
        ItemError: `bad_name`.
    """
    if not isinstance(text, str) or len(text) > _MOST_NAME or _UNSPEAKABLE.search(text):
        raise ItemError("bad_name", f"{shown(text)} is not the name of an image")
    parts: list[str] = []
    for part in _DRIVE.sub("", text.strip().replace("\\", "/")).split("/"):
        if part == "..":
            parts = parts[:-1]
        elif part not in ("", "."):
            parts.append(part)
    if not parts:
        raise ItemError("bad_name", f"{shown(text)} is not the name of an image")
    return "/".join(parts)


def with_suffix(name: str, suffix: str) -> str:
    """A name with an image's suffix: this one, where it has none."""
    return name if PurePosixPath(name).suffix.lower() in SUFFIXES else name + suffix


def class_name(text: object) -> str:
    """A class's name, without space around it.

    Raises:
        ItemError: `bad_class`: empty, too long, or no text.
    """
    name = str(text).strip() if isinstance(text, str | int | float) and not isinstance(text, bool) else ""
    if not name or len(name) > _MOST_NAME or _UNSPEAKABLE.search(name):
        raise ItemError("bad_class", f"{shown(text)} is not the name of a class")
    return name


def number(value: object) -> float:
    """A coordinate, of a number or its text.

    Raises:
        ItemError: `bad_number`: none, NaN, infinite, or far too large.
    """
    try:
        found = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        found = float("nan")
    if isinstance(value, bool) or not in_range(found):
        raise ItemError("bad_number", f"{shown(value)} is not a coordinate")
    return found


def comma_number(text: str) -> float:
    """A coordinate that may have a decimal comma.

    Raises:
        ItemError: `bad_number`.
    """
    return number(text.strip().replace(",", ".", 1) if "." not in text else text)


def size(value: object) -> int | None:
    """A width or height in whole pixels; None where it is not said (missing, 0, or nonsense)."""
    try:
        found = number(value)
    except ItemError:
        return None
    return int(found) if found >= 1 else None


def plain(value: object) -> Value | None:
    """A value that an attribute can be; None for any other."""
    if isinstance(value, float) and not in_range(value):
        return None
    return value if isinstance(value, str | int | float | bool) else None


def shown(value: object) -> str:
    """A value in a message: quoted, and not long."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
