"""Single frames of a video, decoded with as little as possible of what lies around them."""

import itertools
from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING

from cv_pipelines.remote.range_file import RangeFile
from cv_pipelines.videos.opening import open_bytes, open_file, picture_stream
from cv_pipelines.videos.video import Video

if TYPE_CHECKING:
    from av import Packet, VideoFrame, VideoStream

_BACK_SECONDS = (0, 1, 10)
"""Some formats only guess where in the file a time is: then we start earlier."""


class FrameReader:
    """An open video. Frames asked for in their order are decoded in one go."""

    def __init__(self, video: Video, file: RangeFile | None = None, threads: int = 1) -> None:
        """Open it.

        Args:
            video: where it is.
            file: its bytes, for whoever has them open; nobody else may read them meanwhile.
            threads: that decode.

        Raises:
            InputError: see open_video.
            InfrastructureError: see open_video.
        """
        self._video = video
        self._file = file or open_file(video)
        self._threads = threads
        self._frames: Iterator[VideoFrame] = iter(())
        self._last: int | None = None
        self._starts_over = True
        self.has_ended = False
        self._open()

    def read(self, time: int, key: int) -> "VideoFrame":
        """Decode one frame.

        Args:
            time: when it is shown, in ticks of the stream.
            key: time of the frame that decoding has to start from, where it has not come past it already.

        Raises:
            OSError: there is no such frame, or it is damaged.
        """
        if self._last is None or not key <= self._last < time:
            self._frames = _decoded(self._packets_from(key))
        frame = self._advance(time)
        if frame is None and self._starts_over:
            self._frames = _decoded(self._packets_from_start())
            frame = self._advance(time)
            self._starts_over = frame is not None  # else it is damage, which costs the way from the start once
        if frame is None:
            raise OSError("this frame of the video cannot be decoded: it is damaged, or says a wrong time")
        return frame

    def close(self) -> None:
        """Give back the memory of the decoder; otherwise that waits until Python looks for cycles."""
        self._frames = iter(())
        self._container.close()

    @property
    def tick(self) -> Fraction:
        """Seconds of a unit of time."""
        return self._stream.time_base or Fraction(1)

    @property
    def rate(self) -> Fraction:
        """Frames a second on average; 0 where nothing says so."""
        return self._stream.average_rate or Fraction(0)

    def showing(self, time: int) -> "VideoFrame":
        """Search for the frame that is shown at a time, without a list of frames; the first one before all.

        Afterwards `has_ended` says whether it is the last one.

        Args:
            time: in ticks of the stream.

        Raises:
            OSError: no frame can be decoded.
        """
        first = None
        for start in (partial(self._packets_from, time), self._packets_from_start):
            shown = first = None
            for frame in _decoded(start()):
                if frame.pts is None or frame.is_corrupt:
                    continue
                if frame.pts > time:
                    first = frame
                    break
                shown = frame
            self.has_ended = first is None
            if shown is not None:
                return shown
        if first is None:
            raise OSError("no frame can be decoded")
        return first

    def frames_from(self, key: int) -> "Iterator[VideoFrame]":
        """Decode all frames from a key frame on, in the order in which they are shown; damaged ones are left out.

        Args:
            key: time of the key frame, in ticks of the stream. Frames shown before it may come first.
        """
        self._last = None
        return (frame for frame in _decoded(self._packets_from(key)) if frame.pts is not None)

    def _advance(self, time: int) -> "VideoFrame | None":
        """Go on decoding up to a time; None where the frames pass it by."""
        self._last = None
        for frame in self._frames:
            if frame.pts is not None and frame.pts >= time:
                self._last = frame.pts
                return frame if frame.pts == time and not frame.is_corrupt else None
        return None

    def _open(self) -> None:
        self._container = open_bytes(self._video, self._file)
        self._stream = picture_stream(self._container)
        self._stream.thread_type, self._stream.thread_count = "AUTO", self._threads

    def _packets_from(self, key: int) -> "Iterator[Packet[VideoStream]]":
        """Packets from the key frame on, or from before it."""
        import av

        for seconds in _BACK_SECONDS:
            start = key - int(seconds / (self._stream.time_base or 1))
            with suppress(av.error.FFmpegError):  # some cannot seek, or not so far
                self._container.seek(start, stream=self._stream)
                packets = self._container.demux(self._stream)
                first = next(packets)
                if first.pts is not None and first.pts <= key and (first.is_keyframe or seconds):
                    return itertools.chain([first], packets)
        return self._packets_from_start()

    def _packets_from_start(self) -> "Iterator[Packet[VideoStream]]":
        """All packets; opened anew, for some formats tell other times after a seek."""
        self._container.close()
        self._open()
        return self._container.demux(self._stream)


def _decoded(packets: "Iterator[Packet[VideoStream]]") -> "Iterator[VideoFrame]":
    """Frames in the order in which they are shown; what is damaged is passed over."""
    import av

    for packet in packets:
        try:
            yield from packet.decode()
        except av.error.FFmpegError:
            continue
