"""Which way up the frames of a video are."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from av import VideoFrame


def quarter_turns(frame: "VideoFrame") -> int:
    """Quarter turns, counterclockwise, that set a decoded frame upright: 0 to 3."""
    return round(frame.rotation / 90) % 4


def upright_size(frame: "VideoFrame") -> tuple[int, int]:
    """Width and height of a frame as it is seen, in pixels."""
    return (frame.height, frame.width) if quarter_turns(frame) % 2 else (frame.width, frame.height)
