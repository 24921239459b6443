"""Which frame is shown, by number and by time."""

from bisect import bisect_right
from contextlib import closing
from fractions import Fraction
from typing import TYPE_CHECKING

from cv_pipelines.errors import InputError
from cv_pipelines.remote.range_file import RangeFile
from cv_pipelines.videos.frame_index import kept_frames, load_frames
from cv_pipelines.videos.frame_reader import FrameReader
from cv_pipelines.videos.frames import Frames, has_table, require_frames
from cv_pipelines.videos.video import Video

if TYPE_CHECKING:
    from av import VideoFrame


def frame_numbered(video: Video, file: RangeFile, number: int) -> "VideoFrame":
    """Decode a frame by its number, from 1 on.

    Args:
        video: where it is.
        file: its bytes.
        number: of the frame.

    Raises:
        InputError: code `no_frame`: it has none of this number; `no_frames`: none at all; `bad_video`: it is
            damaged; else see open_video.
        InfrastructureError: see open_video.
    """
    found = load_frames(video, file)
    require_frames(video, found)
    if number > len(found.frames):
        end = found.damage and f" ({found.damage})"
        message = f"'{video.address}' has no frame {number:,}: it has {len(found.frames):,}{end}."
        raise InputError("no_frame", message)
    return _decode(video, file, found, number - 1)


def frame_at(video: Video, file: RangeFile, seconds: Fraction) -> "VideoFrame":
    """Decode the frame that is shown at a time; the first one where it is before all of them.

    A video on a server that would have to be read whole to list its frames is not: it is searched.

    Args:
        video: where it is.
        file: its bytes.
        seconds: as the video counts them.

    Raises:
        InputError: code `no_frame`: it has ended by then; `no_frames`: it has none; `bad_video`: it is damaged
            there; else see open_video.
        InfrastructureError: see open_video.
    """
    found = kept_frames(video, file.stamp)
    if found is None and video.is_remote and not has_table(file):
        return _search(video, file, seconds)
    found = found or load_frames(video, file)
    require_frames(video, found)
    place = bisect_right(found.frames, int(seconds // found.tick), key=lambda frame: frame.time) - 1
    if place == len(found.frames) - 1:
        _require_before(video, seconds, found.end)
    return _decode(video, file, found, max(place, 0))


def _decode(video: Video, file: RangeFile, found: Frames, place: int) -> "VideoFrame":
    frame = found.frames[place]
    try:
        with closing(FrameReader(video, file)) as reader:
            return reader.read(frame.time, frame.key)
    except OSError as error:
        raise _damaged(video, f"frame {place + 1:,}", error) from error


def _search(video: Video, file: RangeFile, seconds: Fraction) -> "VideoFrame":
    with closing(FrameReader(video, file)) as reader:
        try:
            frame = reader.showing(int(seconds // reader.tick))
        except OSError as error:
            raise _damaged(video, f"what it shows after {float(seconds):g} s", error) from error
        length = frame.duration or (1 / reader.rate / reader.tick if reader.rate else 0)
        _require_before(video, seconds, ((frame.pts or 0) + length) * reader.tick if reader.has_ended else None)
        return frame


def _require_before(video: Video, seconds: Fraction, end: Fraction | None) -> None:
    if end is not None and seconds >= end:
        message = f"'{video.address}' shows nothing after {float(seconds):g} s: it ends after {float(end):.3f} s."
        raise InputError("no_frame", message)


def _damaged(video: Video, what: str, error: OSError) -> InputError:
    return InputError("bad_video", f"'{video.address}': {what} cannot be decoded: it is damaged.", repr(error))
