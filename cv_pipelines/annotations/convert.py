"""Labels from a file or folder of one format to one of another, whole or not at all."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from cv_pipelines.annotations.exchange import Exchange, passed
from cv_pipelines.annotations.formats.format import Format
from cv_pipelines.annotations.formats.known import require_format
from cv_pipelines.errors import InputError


def convert(
    source: Path, read_as: Format, target: Path, write_as: Format, exchange: Exchange, lenient: bool
) -> bool:
    """Read one, write the other, image by image.

    Args:
        source: a file or folder.
        read_as: its format.
        target: what is to be made; there must be nothing yet.
        write_as: its format.
        exchange: images, and the report of what went wrong.
        lenient: leave out what is wrong; else a single problem is enough to write nothing.

    Returns:
        Whether the target has been made.

    Raises:
        InputError: the source cannot be read at all, or the target is there.
    """
    require_format(source, read_as)
    with whole(target, write_as.folder) as draft:
        write_as.write(passed(read_as.read(source, exchange), exchange), draft.path, exchange)
        draft.keep = lenient or not exchange.report.counts
    return draft.keep


class Draft:
    """Where something is made before it appears; it does where `keep` is set in the end."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.keep = False


@contextmanager
def whole(target: Path, folder: bool) -> Iterator[Draft]:
    """Make a file or folder aside, in the same place, and rename it when it is complete.

    Raises:
        InputError: `exists`, or `no_folder` where the folder around it is missing.
    """
    if target.exists() or target.is_symlink():
        raise InputError("exists", f"There is '{target}' already; name another, or delete it first.")
    if not target.absolute().parent.is_dir():
        raise InputError("no_folder", f"There is no folder '{target.absolute().parent}' to write to.")
    draft = Draft(target.absolute().with_name(f".{target.name[:100]}.{uuid4().hex[:8]}.partial"))
    if folder:
        draft.path.mkdir()
    try:
        yield draft
        if draft.keep:
            draft.path.rename(target)
    finally:
        if folder:
            shutil.rmtree(draft.path, ignore_errors=True)
        else:
            draft.path.unlink(missing_ok=True)
