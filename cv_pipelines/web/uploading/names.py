"""Names of files that people send: what a source would see, and never a path that leads anywhere else."""

import unicodedata
from pathlib import PurePosixPath

from cv_pipelines.errors import InputError
from cv_pipelines.images.sources.archive import is_archive
from cv_pipelines.images.sources.factory import TABLE_NAME
from cv_pipelines.images.sources.files import name_problem
from cv_pipelines.images.sources.members import clean_path, is_wanted_path, path_problem
from cv_pipelines.tasks.fields import legible

MOST_PART, MOST_PATH = 200, 700
"""Bytes in UTF-8, of one name and of all of it: disks take 255, S3 takes 1,024, and a digest may be added."""
_UNSEEN = {"Cc", "Cs", "Zl", "Zp"}
_TURNING = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Signs that let `gpj.exe` look like `exe.jpg` (Unicode TR 36, 2.3)."""


def clean_name(name: str) -> str:
    """The name that a file gets in its data set: relative, `/` between its parts, in normal form C.

    Raises:
        InputError: code `upload_name`, with the reason.
    """
    path = clean_path(unicodedata.normalize("NFC", name).replace("\\", "/"))
    if problem := _problem(path):
        raise InputError("upload_name", f"'{legible(name, 200)}' is not taken: {problem}.")
    return path


def numbered(name: str, digest: str) -> str:
    """The name of a file whose own is taken by another one: `rose/1.jpg` becomes `rose/1 (3fa9c1d2).jpg`."""
    path = PurePosixPath(name)
    return str(path.with_name(f"{path.stem} ({digest[:8]}){path.suffix}"))


def _problem(path: str) -> str:
    if not path.strip("/"):
        return "it has no name"
    if any(unicodedata.category(sign) in _UNSEEN or sign in _TURNING for sign in path):
        return "there are signs in its name that cannot be seen"
    if len(path.encode()) > MOST_PATH or any(len(part.encode()) > MOST_PART for part in path.split("/")):
        return f"its name is longer than {MOST_PART} bytes, or {MOST_PATH} with its folders"
    if problem := path_problem(path):
        return problem
    if not is_wanted_path(path):
        return "it is hidden, or left behind by an operating system"
    if path.rpartition("/")[2].lower() == TABLE_NAME:
        return "a table names files of other places; have it added by 'cv-pipelines dataset add'"
    return "" if is_archive(PurePosixPath(path)) else name_problem(path)
