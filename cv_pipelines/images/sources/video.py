"""A video file: its frames are the images."""

import io
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from PIL import Image

from cv_pipelines.errors import InputError
from cv_pipelines.images.sources.protocol import SourceItem
from cv_pipelines.images.sources.sampling import ONE_A_SECOND, Sampling
from cv_pipelines.remote.facts import file_stamp
from cv_pipelines.videos.frame_reader import FrameReader
from cv_pipelines.videos.frames import list_frames, require_frames
from cv_pipelines.videos.opening import duration, open_video, picture_stream
from cv_pipelines.videos.pictures import upright
from cv_pipelines.videos.video import VIDEOS, Video

if TYPE_CHECKING:
    from av import VideoFrame

_open = threading.local()
"""The video that each thread has open: whoever reads frame after frame goes on decoding."""


@dataclass(frozen=True)
class VideoSource:
    """Frames of a video, named by its name and the exact time at which they are shown.

    Attributes:
        path: the file.
        sampling: which of them.
    """

    path: Path
    sampling: Sampling = ONE_A_SECOND
    threads: ClassVar[int] = 1

    def items(self) -> Iterator[SourceItem]:
        """See ImageSource."""
        try:
            stamp = file_stamp(self.path.stat())
        except OSError as error:
            raise InputError("no_video", f"'{self.path}' cannot be read: {error.strerror}.") from error
        found = list_frames(self._video)
        require_frames(self._video, found)
        times = [frame.time * found.tick for frame in found.frames]
        for place in self.sampling.choose(times):
            frame = found.frames[place]
            name = f"{self.path.name}/{frame_name(times[place])}"
            yield SourceItem(name, f"{self.path}#{frame.time}@{frame.key}", stamp=stamp)
        if found.damage:
            rest = f"{self.path.name}/(the rest of the video)"
            yield SourceItem(rest, str(self.path), problem=f"{found.damage}. Copy it again")

    def read(self, item: SourceItem) -> bytes:
        """See ImageSource."""
        import av

        if file_stamp(self.path.stat()) != item.stamp:
            raise OSError("the video has changed since it was listed")
        time, _, key = item.location.rpartition("#")[2].partition("@")
        try:
            return _png(self._reader(item.stamp).read(int(time), int(key)))
        except (av.error.FFmpegError, ValueError) as error:
            raise OSError(f"this frame of the video cannot be decoded: {error}") from error
        except InputError as error:
            raise OSError(error.user_message) from error

    def facts(self) -> dict[str, str]:
        """What the file says of itself, for people."""
        with open_video(self._video) as container:
            stream = picture_stream(container)
            return {
                "bytes": f"{self.path.stat().st_size:,}",
                "duration": f"{float(duration(container)):,.1f} s",
                "size": f"{stream.width} x {stream.height}",
                "frame rate": f"{float(stream.average_rate or 0):.4g} a second",
                "codec": stream.codec_context.name,
            }

    @property
    def _video(self) -> Video:
        return Video(str(self.path))

    def _reader(self, stamp: str) -> FrameReader:
        wanted = (self.path, stamp)
        if getattr(_open, "video", None) != wanted:
            _open.video, _open.reader = None, FrameReader(self._video)
            _open.video = wanted
        reader: FrameReader = _open.reader
        return reader


def is_video(path: Path) -> bool:
    """Whether a file's name is that of a video."""
    return path.suffix.lower() in VIDEOS


def frame_name(seconds: Fraction) -> str:
    """A name that states a time exactly, and sorts by it: `000033.366667s=1001/30`."""
    return f"{float(seconds):013.6f}s={seconds.numerator}/{seconds.denominator}"


def _png(frame: "VideoFrame") -> bytes:
    """A frame as a file, upright; without loss, and quick to write rather than small."""
    buffer = io.BytesIO()
    Image.fromarray(upright(frame)).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()
