"""Folders of this machine that an operator has opened to tasks."""

import os
from collections.abc import Iterable
from pathlib import Path

from cv_pipelines.errors import InputError


def open_folder(path: str, folders: Iterable[str]) -> tuple[Path, Path]:
    """The real path of a file that a task names, and the folder below which it may.

    Args:
        path: as the task has it.
        folders: real paths of folders below which files may be named; none: no file may.

    Raises:
        InputError: code `forbidden_file`; in the same words whether there is such a file or not.
    """
    real = Path(os.path.realpath(path))
    folder = next((Path(one) for one in folders if Path(one) in real.parents), None)
    if folder is None:
        message = "The file lies in no folder that is open to tasks. An operator opens folders with CV_FILE_ALLOW."
        raise InputError("forbidden_file", message)
    return real, folder
