"""Images that are frames of a video: their exact times, and which frames come before and after."""

import re
from bisect import bisect_left
from dataclasses import dataclass

from cv_pipelines.web.image_index import ImageIndex

_FRAME = re.compile(r"(?P<video>.+)/\d{6}\.\d{6}s=(?P<seconds>[0-9]+/[0-9]+)")
"""The names that images/sources/video.py gives: they sort by time."""


@dataclass(frozen=True)
class Frame:
    """A frame of a video; where several are the same image, the first.

    Attributes:
        video: name of the file.
        seconds: at which it is shown, exactly: `1001/30`.
        previous: id of the image that comes before it in the video, None at its beginning.
        next: likewise, None at its end.
    """

    video: str
    seconds: str
    previous: str | None
    next: str | None


def frame_of(index: ImageIndex, image_id: str) -> Frame | None:
    """The frame that an image is; None where it is none.

    Raises:
        InputError: code `missing_image`.
    """
    name = _name(index, index.images.require(image_id))
    found = _FRAME.fullmatch(name)
    if found is None:
        return None
    place = bisect_left(index.by_name, name, key=lambda row: _name(index, row))
    before, after = (_frame_at(index, place + step, found["video"]) for step in (-1, 1))
    return Frame(found["video"], found["seconds"], before, after)


def _frame_at(index: ImageIndex, place: int, video: str) -> str | None:
    """The id of the image at a place of the names, where it is a frame of this video."""
    if not 0 <= place < len(index):
        return None
    row = int(index.by_name[place])
    found = _FRAME.fullmatch(_name(index, row))
    return index.id_at(row) if found and found["video"] == video else None


def _name(index: ImageIndex, row: int) -> str:
    return str(index.names[row].as_py())
