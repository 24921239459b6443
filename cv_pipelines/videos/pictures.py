"""Single frames of a video as pictures: by number or by time, upright, at any size."""

import io
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cv_pipelines.errors import InputError
from cv_pipelines.remote.range_file import RangeFile
from cv_pipelines.videos.opening import open_file
from cv_pipelines.videos.shelf import Shelf
from cv_pipelines.videos.shown import frame_at, frame_numbered
from cv_pipelines.videos.turning import quarter_turns
from cv_pipelines.videos.video import Video

if TYPE_CHECKING:
    from av import VideoFrame

BUDGET = 2 * 1024**3
"""Bytes of the pictures that are kept of all videos."""
LARGEST = 16_384
Kind = Literal["png", "jpeg"]


@dataclass(frozen=True)
class Wish:
    """Which frame, and how; either `frame` or `time`.

    Attributes:
        frame: its number, from 1 on, in the order in which they are shown.
        time: seconds as the video counts them; the frame that is shown then. Before the first one: the first.
        width: of the picture in pixels; None: as the height demands, else as it is.
        height: of the picture in pixels; None: as the width demands, else as it is.
        kind: `png` has every pixel as it was decoded, `jpeg` is small.
    """

    frame: int | None = None
    time: Fraction | None = None
    width: int | None = None
    height: int | None = None
    kind: Kind = "png"

    def __post_init__(self) -> None:
        """Refuse what makes no sense.

        Raises:
            InputError: code `bad_frame` or `bad_size`.
        """
        if (self.frame is None) == (self.time is None):
            raise InputError("bad_frame", "Name either the number of a frame or a time.")
        if self.frame is not None and self.frame < 1:
            raise InputError("bad_frame", f"There is no frame {self.frame}: the first one is number 1.")
        if any(side is not None and not 0 < side <= LARGEST for side in (self.width, self.height)):
            raise InputError("bad_size", f"A picture has from 1 to {LARGEST:,} pixels a side.")


def picture_file(video: Video, wish: Wish) -> bytes:
    """A frame as a file, without any metadata; from the cache, where it has been made before.

    Args:
        video: where it is; on a server, only what is needed is fetched.
        wish: which frame, and how.

    Raises:
        InputError: code `no_frame`: it has no such frame; `bad_video`: the frame is damaged; else see open_video.
        InfrastructureError: see open_video.
    """
    file = open_file(video)
    shelf = Shelf(video.cache / "pictures", BUDGET) if video.cache and file.stamp else None
    identity = ("picture 1", video.address, file.stamp, wish)
    data = shelf.get(*identity) if shelf else None
    if data is None:
        data = _encode(_scaled(_decoded(video, file, wish), wish), wish.kind)
        if shelf:
            shelf.put(data, *identity)
    return data


def picture_array(video: Video, wish: Wish) -> NDArray[np.uint8]:
    """A frame as RGB, shape (height, width, 3).

    Raises:
        InputError: see picture_file.
        InfrastructureError: see picture_file.
    """
    with Image.open(io.BytesIO(picture_file(video, wish))) as image:
        return np.asarray(image)


def upright(frame: "VideoFrame") -> NDArray[np.uint8]:
    """A decoded frame as RGB, shape (height, width, 3), turned as its video says."""
    pixels = np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
    return np.ascontiguousarray(np.rot90(pixels, quarter_turns(frame)))


def _decoded(video: Video, file: RangeFile, wish: Wish) -> NDArray[np.uint8]:
    if wish.frame is not None:
        return upright(frame_numbered(video, file, wish.frame))
    return upright(frame_at(video, file, wish.time or Fraction(0)))


def _scaled(pixels: NDArray[np.uint8], wish: Wish) -> Image.Image:
    image = Image.fromarray(pixels)
    width = wish.width or (image.width if wish.height is None else _share(image.width, wish.height, image.height))
    height = wish.height or (image.height if wish.width is None else _share(image.height, wish.width, image.width))
    if (width, height) == image.size:
        return image
    return image.resize((width, height), Image.Resampling.LANCZOS)


def _share(side: int, wanted: int, other: int) -> int:
    """The length that a side has where the other one has the length that is wanted."""
    return min(max(round(side * wanted / other), 1), LARGEST)


def _encode(image: Image.Image, kind: Kind) -> bytes:
    buffer = io.BytesIO()
    if kind == "png":
        image.save(buffer, "PNG", compress_level=1)  # quick to write rather than small
    else:
        image.save(buffer, "JPEG", quality=90)
    return buffer.getvalue()
