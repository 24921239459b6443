"""The frames of a video file, listed without decoding one."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from cv_pipelines.errors import InputError

if TYPE_CHECKING:
    from av import VideoStream
    from av.container import InputContainer

_FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,asf,ogg"
"""No playlists: they would have other files and addresses opened."""
_TOLERANCE_SECONDS = 2


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame in a file, in ticks of its stream.

    Attributes:
        time: when it is shown; names it.
        key: time of the frame that decoding has to start from.
    """

    time: int
    key: int


@dataclass(frozen=True)
class Frames:
    """All frames of a video.

    Attributes:
        frames: by time.
        tick: seconds.
        damage: why there are no more of them; empty where all are there.
    """

    frames: list[Frame]
    tick: Fraction
    damage: str


def open_video(path: Path) -> "InputContainer":
    """Open a video file.

    Raises:
        InputError: it is none.
    """
    import av  # tens of megabytes of libraries

    try:
        container = av.open(
            str(path.absolute()), options={"format_whitelist": _FORMATS}, metadata_errors="replace"
        )
    except (av.error.FFmpegError, OSError) as error:
        message = f"'{path}' is not a video that can be read: {error.strerror}. Is all of it there?"
        raise InputError("bad_video", message, repr(error)) from error
    if not container.streams.video:
        raise InputError("bad_video", f"'{path}' has no pictures.")
    return container


def picture_stream(container: "InputContainer") -> "VideoStream":
    """The stream that is watched; others may be covers and previews."""
    best = container.streams.best("video")
    streams = container.streams.video
    return next((stream for stream in streams if best and stream.index == best.index), streams[0])


def list_frames(path: Path) -> Frames:
    """Read the times of all frames from the packets that hold them.

    Raises:
        InputError: it is not a video.
    """
    import av

    found: dict[int, Frame] = {}
    damage = ""
    with open_video(path) as container:
        stream = picture_stream(container)
        tick = stream.time_base or Fraction(1)
        try:
            for frame in _packets(container, stream):
                found[frame.time] = frame
        except (av.error.FFmpegError, OSError) as error:
            damage = f"damaged from here on ({error.strerror}): copy it again"
        frames = sorted(found.values(), key=lambda frame: frame.time)
        if frames and not damage:
            damage = _missing((frames[-1].time - frames[0].time) * tick, duration(container))
    return Frames(frames, tick, damage)


def duration(container: "InputContainer") -> Fraction:
    """How long a video says it lasts, in seconds; 0 where it does not."""
    stream = picture_stream(container)
    if stream.duration and stream.time_base:
        return stream.duration * stream.time_base
    return Fraction(container.duration or 0, 1_000_000)


def _missing(listed: Fraction, said: Fraction) -> str:
    """Why a video is shorter than it says; sound may last a little longer than pictures."""
    if said - listed < max(Fraction(_TOLERANCE_SECONDS), said / 20):
        return ""
    return f"cut off: it ends after {float(listed):.1f} of {float(said):.1f} s. Copy it again"


def _packets(container: "InputContainer", stream: "VideoStream") -> Iterator[Frame]:
    """Frames in the order in which they are decoded, which is not that in which they are shown."""
    key = before = None
    for packet in container.demux(stream):
        time = packet.dts if packet.pts is None else packet.pts
        if time is None or packet.is_discard:
            continue
        if packet.is_keyframe:
            before, key = key, time
        # a frame may follow a key frame, be shown ahead of it, and need the one before
        start = before if key is not None and time < key else key
        yield Frame(time, time if start is None else start)
