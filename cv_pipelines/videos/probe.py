"""What a video is, as far as it can be told without decoding more than its first frame."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

from cv_pipelines.errors import InputError
from cv_pipelines.progress import Progress, silent
from cv_pipelines.videos.frame_index import load_frames
from cv_pipelines.videos.frames import Frames, has_table, require_frames
from cv_pipelines.videos.opening import duration, open_bytes, open_file, picture_stream
from cv_pipelines.videos.turning import quarter_turns, upright_size
from cv_pipelines.videos.video import Video

if TYPE_CHECKING:
    from av import VideoFrame, VideoStream
    from av.container import InputContainer

_QUICKTIME_EPOCH = 1904


@dataclass(frozen=True)
class VideoFacts:
    """A video.

    Attributes:
        address: where it is.
        bytes: of the file.
        stamp: of its version; empty: its server does not tell.
        container: FFmpeg's name of the format.
        codec: FFmpeg's name of it.
        pixel_format: FFmpeg's name of it, such as `yuv420p10le`.
        bit_depth: of a sample.
        width, height: of the picture in pixels, upright.
        stored_width, stored_height: of the picture in pixels, before it is turned.
        rotation: by how many degrees a player turns the stored picture counterclockwise: 0, 90, 180 or 270.
        is_interlaced: whether the first frame is made of two fields.
        frames: how many there are.
        frames_by: how that is known: `counted`, or `estimated` by duration and rate.
        rate: frames a second, on average.
        nominal_rate: frames a second that the file is meant to have.
        is_variable: whether frames last differently long, beyond what rounding does; None: not looked at.
        time_base: seconds of a unit of time.
        start: when the first frame is shown, in seconds.
        duration: from there until the last one ends, in seconds.
        created: when it says that it was made; None: it does not.
    """

    address: str
    bytes: int
    stamp: str
    container: str
    codec: str
    pixel_format: str
    bit_depth: int
    width: int
    height: int
    stored_width: int
    stored_height: int
    rotation: int
    is_interlaced: bool
    frames: int
    frames_by: Literal["counted", "estimated"]
    rate: Fraction
    nominal_rate: Fraction
    is_variable: bool | None
    time_base: Fraction
    start: Fraction
    duration: Fraction
    created: datetime | None

    def summary(self) -> dict[str, Any]:
        """For programs: exact numbers as strings such as `30000/1001`."""
        return {name: str(value) if isinstance(value, Fraction) else value for name, value in vars(self).items()}


@dataclass(frozen=True)
class _Timing:
    """The part of the facts that is about time."""

    frames: int
    frames_by: Literal["counted", "estimated"]
    rate: Fraction
    is_variable: bool | None
    start: Fraction
    duration: Fraction


def probe_video(video: Video, exact: bool = True, progress: Progress = silent) -> VideoFacts:
    """Look at a video, and count its frames.

    Args:
        video: where it is.
        exact: False: of a video on a server that is no MP4 or MOV, the frames are not counted but estimated, for
            all of it would have to be fetched.
        progress: told of bytes, where its server only sends all of it.

    Raises:
        InputError: see open_video; code `cut_off`: it is shorter than it says; `no_frames`: it has none;
            `bad_video`: its first frame cannot be decoded.
        InfrastructureError: see open_video.
    """
    file = open_file(video, progress)
    counts = exact or not video.is_remote or has_table(file)
    listed = _whole(video, load_frames(video, file)) if counts else None
    with open_bytes(video, file) as container:
        stream = picture_stream(container)
        first = _first_frame(video, container, stream)
        timing = _counted(listed, stream) if listed else _estimated(container, stream, first)
        width, height = upright_size(first)
        return VideoFacts(
            address=video.address,
            bytes=file.size,
            stamp=file.stamp,
            container=container.format.name,
            codec=stream.codec_context.name,
            pixel_format=first.format.name,
            bit_depth=max(component.bits for component in first.format.components),
            width=width,
            height=height,
            stored_width=first.width,
            stored_height=first.height,
            rotation=90 * quarter_turns(first),
            is_interlaced=first.interlaced_frame,
            nominal_rate=stream.guessed_rate or timing.rate,
            time_base=stream.time_base or Fraction(1),
            created=_created(container.metadata) or _created(stream.metadata),
            **vars(timing),
        )


def average_rate(times: Sequence[int], tick: Fraction, said: Fraction | None) -> Fraction:
    """Frames a second.

    Args:
        times: of all frames, rising, in ticks.
        tick: seconds.
        said: by the file; believed where it gives these times but for rounding.

    Returns:
        0 where there are fewer than two frames and nothing is said.
    """
    span, gaps = (times[-1] - times[0]) * tick, len(times) - 1
    if said and abs(gaps / said - span) <= 2 * tick:
        return said
    return gaps / span if span else Fraction(0)


def is_variable(times: Sequence[int]) -> bool:
    """Whether frames last differently long.

    A rate that is no whole number of ticks makes them differ by one; a damaged or jittery clock, by more.

    Args:
        times: of all frames, rising, in ticks.
    """
    gaps = [later - earlier for earlier, later in pairwise(times)]
    return bool(gaps) and (max(gaps) - min(gaps) > 2 or 2 * max(gaps) >= 3 * min(gaps))


def _whole(video: Video, found: Frames) -> Frames:
    require_frames(video, found)
    if found.damage:
        raise InputError("cut_off", f"'{video.address}' is {found.damage}. Copy it again.")
    return found


def _first_frame(video: Video, container: "InputContainer", stream: "VideoStream") -> "VideoFrame":
    import av

    try:
        return next(container.decode(stream))
    except (av.error.FFmpegError, ValueError, StopIteration) as error:
        message = f"'{video.address}': its first frame cannot be decoded. Is all of it there?"
        raise InputError("bad_video", message, repr(error)) from error


def _counted(found: Frames, stream: "VideoStream") -> _Timing:
    times = [frame.time for frame in found.frames]
    rate, varies = average_rate(times, found.tick, stream.average_rate), is_variable(times)
    length = found.end - found.start if varies or not rate else len(times) / rate
    return _Timing(len(times), "counted", rate, varies, found.start, length)


def _estimated(container: "InputContainer", stream: "VideoStream", first: "VideoFrame") -> _Timing:
    rate, length = stream.average_rate or stream.guessed_rate or Fraction(0), duration(container)
    start = (first.pts or 0) * (stream.time_base or Fraction(1))
    return _Timing(stream.frames or round(length * rate), "estimated", rate, None, start, length)


def _created(metadata: dict[str, str]) -> datetime | None:
    """When a file says that it was made, in UTC; clocks that were never set are not believed."""
    try:
        found = datetime.fromisoformat(metadata.get("creation_time", ""))
    except ValueError:
        return None
    found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    return found if found.year > _QUICKTIME_EPOCH else None
