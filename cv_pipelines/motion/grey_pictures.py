"""Frames as small, soft, grey pictures: what an estimate of motion looks at."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from cv_pipelines.videos.turning import quarter_turns

if TYPE_CHECKING:
    from av import VideoFrame

_LEAST = 480
_SOFTENED, _SOFTNESS = (7, 7), 1.5
"""Between pixels tracking interpolates linearly, which draws sharp corners towards whole pixels: softened with
sigma 1.5 that error of translation is a quarter of what it is without."""


@dataclass(frozen=True)
class Reduction:
    """How pictures of a video are made smaller.

    Attributes:
        times: they are halved.
        centre: of the whole picture, upright, in pixels of the small one: x + i y. What a side has left over when
            it is halved is cut off, so it need not be the small picture's centre.
    """

    times: int
    centre: complex

    @property
    def factor(self) -> int:
        """Pixels of the video for a pixel of a small picture."""
        return 1 << self.times


def reduction_of(frame: "VideoFrame") -> Reduction:
    """How frames like this one are made smaller."""
    times = halvings(frame.width, frame.height, frame.interlaced_frame)
    centre = complex(frame.width, frame.height) / (2 << times) - complex(0.5, 0.5)
    size = complex((frame.width >> times) - 1, (frame.height >> times) - 1)
    for _ in range(quarter_turns(frame)):  # np.rot90 turns counterclockwise: (x, y) goes to (y, width - 1 - x)
        centre = complex(centre.imag, size.real - centre.real)
        size = complex(size.imag, size.real)
    return Reduction(times, centre)


def halvings(width: int, height: int, interlaced: bool = False) -> int:
    """How often a picture is halved: as long as its longer side keeps 480 pixels, and once to blend two fields."""
    times = 0
    while max(width, height) >> (times + 1) >= _LEAST:
        times += 1
    return max(times, 1) if interlaced else times


def grey_picture(frame: "VideoFrame", times: int) -> NDArray[np.uint8]:
    """The brightness of a frame, upright, made smaller by 2**times, softened.

    What is left over where a side cannot be halved is cut off at the right and the bottom, before it is turned.

    Returns:
        Shape (height, width).
    """
    picture = _luma(frame)
    height, width = (side >> times << times for side in picture.shape)
    picture = picture[:height, :width]
    for _ in range(times):
        size = picture.shape[1] // 2, picture.shape[0] // 2
        picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    if picture.dtype != np.uint8:
        picture = _eight_bits(picture, frame)
    upright = np.rot90(picture, quarter_turns(frame))
    return cv2.GaussianBlur(upright, _SOFTENED, _SOFTNESS)  # type: ignore[return-value]


def _luma(frame: "VideoFrame") -> NDArray[Any]:
    """The plane of brightness as it lies in memory, nothing copied, where the format has one."""
    luma = frame.format.components[0]
    planar = frame.format.is_planar and not frame.format.is_rgb and not frame.format.is_big_endian
    if not planar or luma.bits > 16:
        return frame.to_ndarray(format="gray8")
    plane = frame.planes[0]
    dtype = np.dtype(np.uint8 if luma.bits == 8 else np.uint16)
    rows = np.frombuffer(memoryview(plane), dtype).reshape(plane.height, plane.line_size // dtype.itemsize)
    return rows[:, : plane.width]


def _eight_bits(picture: NDArray[Any], frame: "VideoFrame") -> NDArray[np.uint8]:
    """The eight upper bits; formats like p010 have theirs at the top of 16."""
    top = frame.format.name.startswith(("p0", "p2", "p4")) or frame.format.components[0].bits == 16
    return (picture >> (8 if top else frame.format.components[0].bits - 8)).astype(np.uint8)
