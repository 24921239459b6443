"""The frames of a video, listed without decoding one."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from cv_pipelines.errors import InputError
from cv_pipelines.remote.range_file import RangeFile
from cv_pipelines.videos.opening import duration, open_bytes, open_file, picture_stream
from cv_pipelines.videos.video import Video

if TYPE_CHECKING:
    from av import VideoStream
    from av.container import InputContainer

_TOLERANCE_SECONDS = 2
_TABLE_ONLY = {"format_whitelist": "mov", "fflags": "noparse+nofillin", "probesize": "32"}
"""To FFmpeg: believe what the file's table says, and look at no picture."""
_FRAGMENTS = b"mvex"
"""Says that there are further tables, each with its part of the frames."""
_BOXES = {b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide"}


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
        damage: why there are no more of them, as `it is …` goes on; empty where all are there.
    """

    frames: list[Frame]
    tick: Fraction
    damage: str

    @property
    def start(self) -> Fraction:
        """When the first frame is shown, in seconds; 0 where there is none."""
        return self.frames[0].time * self.tick if self.frames else Fraction(0)

    @property
    def end(self) -> Fraction:
        """When the last frame ends, in seconds: it is taken to last as long as the one before (one alone: 1 s)."""
        if len(self.frames) < 2:
            return self.start + len(self.frames)
        before, last = self.frames[-2:]
        return (2 * last.time - before.time) * self.tick


def list_frames(video: Video, file: RangeFile | None = None) -> Frames:
    """Read the times of all frames from the packets that hold them.

    Of an MP4 or MOV that has one table of all of its frames nothing else is read; others are read whole.

    Args:
        video: where it is.
        file: its bytes, for whoever has them open.

    Raises:
        InputError: see open_video.
        InfrastructureError: see open_video.
    """
    file = file or open_file(video)
    found = _by_table(video, file) if has_table(file) else None
    if found is None or found.damage:
        with open_bytes(video, file) as container:
            found = _frames_of(container)
    return found


def require_frames(video: Video, found: Frames) -> None:
    """Make sure that a video has a frame.

    Raises:
        InputError: code `no_frames`: none that can be read.
    """
    if not found.frames:
        why = f": it is {found.damage}" if found.damage else ""
        raise InputError("no_frames", f"'{video.address}' has no frame that can be read{why}.")


def _by_table(video: Video, file: RangeFile) -> Frames | None:
    """The frames that the table of an MP4 lists; None where it is not the whole list."""
    with open_bytes(video, file, **_TABLE_ONLY) as container:
        if not picture_stream(container).frames or file.has_read(_FRAGMENTS):
            return None
        file.hollow = True
        try:
            return _frames_of(container)
        finally:
            file.hollow = False


def has_table(file: RangeFile) -> bool:
    """Whether this is an MP4 or MOV (ISO/IEC 14496-12): then its frames are listed by reading little of it."""
    file.seek(0)
    return file.read(8)[4:8] in _BOXES


def _frames_of(container: "InputContainer") -> Frames:
    import av

    found: dict[int, Frame] = {}
    trouble = ""
    stream = picture_stream(container)
    tick = stream.time_base or Fraction(1)
    try:
        for frame in _packets(container, stream):
            found[frame.time] = frame
    except (av.error.FFmpegError, OSError) as error:
        trouble = error.strerror or str(error)
    frames = sorted(found.values(), key=lambda frame: frame.time)
    listed = (frames[-1].time - frames[0].time) * tick if frames else Fraction(0)
    if trouble:
        return Frames(frames, tick, f"damaged after {float(listed):.1f} s ({trouble})")
    return Frames(frames, tick, _missing(listed, _promised(container, stream)) if frames else "")


def _promised(container: "InputContainer", stream: "VideoStream") -> Fraction:
    """How long a video should last by its header, in seconds."""
    # of an AVI that is cut off FFmpeg corrects the duration; elsewhere there may be frames that are never shown
    is_avi = container.format.name == "avi"
    by_frames = stream.frames / stream.average_rate if is_avi and stream.average_rate else 0
    return max(duration(container), Fraction(by_frames))


def _missing(listed: Fraction, said: Fraction) -> str:
    """Why a video is shorter than it says; sound may last a little longer than pictures."""
    if said - listed < max(Fraction(_TOLERANCE_SECONDS), said / 20):
        return ""
    return f"cut off: it ends after {float(listed):.1f} of {float(said):.1f} s"


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
