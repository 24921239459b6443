"""Videos opened, wherever they are; FFmpeg reads what we hand it, and never an address."""

import os
import re
from collections.abc import Callable
from fractions import Fraction
from functools import cache, partial
from io import FileIO
from typing import TYPE_CHECKING

from cv_pipelines.errors import InputError
from cv_pipelines.progress import Progress, silent
from cv_pipelines.remote.facts import FileFacts, file_stamp
from cv_pipelines.remote.files import read_remote_range
from cv_pipelines.remote.range_file import RangeFile
from cv_pipelines.videos.copies import copy_of, require_copyable
from cv_pipelines.videos.refusals import refusal
from cv_pipelines.videos.video import Video

if TYPE_CHECKING:
    from av import VideoStream
    from av.container import InputContainer

FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,asf,ogg"
"""No playlists: they would have other files and addresses opened."""
_CLOCK = re.compile(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)")


def open_video(video: Video, progress: Progress = silent) -> "InputContainer":
    """Open a video for reading; a context manager that closes it.

    Of one on a server only what is read is fetched. Where the server does not send parts, all of it is fetched
    once, into the cache. What goes wrong with the server while the container is read is raised there as the
    same errors as here; damage of the content is an `av.error.FFmpegError` as ever.

    Args:
        video: where it is.
        progress: told of bytes, where all of it has to be fetched.

    Raises:
        InputError: code `no_video`: it is not there; `bad_video`: it is none, or cut off; `playlist`: it only
            points to others; `no_pictures`: nothing but sound; `endless`, `too_large`: see copies.py.
        InfrastructureError: code `unreachable`: its server does not answer now.
    """
    return open_bytes(video, open_file(video, progress))


def open_file(video: Video, progress: Progress = silent) -> RangeFile:
    """The bytes of a video; only its server is asked how many they are, and none is fetched yet.

    Raises:
        InputError: see open_video.
        InfrastructureError: see open_video.
    """
    facts = video.look()
    if not facts.size and facts.in_parts:
        raise InputError("bad_video", f"'{video.address}' is not a video: it is empty.")
    if facts.in_parts:
        return RangeFile(partial(_fetch, video, facts), facts.size or 0, facts.stamp)
    return RangeFile(_fetch_of_copy(video, facts, progress), require_copyable(video, facts), facts.stamp)


def open_bytes(video: Video, file: RangeFile, **options: str) -> "InputContainer":
    """Open the bytes of a video.

    Args:
        video: whose they are, for messages.
        file: as `open_file` gives it.
        options: of FFmpeg.

    Raises:
        InputError: see open_video.
        InfrastructureError: see open_video.
    """
    import av  # tens of megabytes of libraries

    file.seek(0)
    given = {"format_whitelist": FORMATS, "protocol_whitelist": "none"} | options
    try:
        container = av.open(file, "r", options=given, metadata_errors="replace")
    except av.error.FFmpegError as error:
        raise refusal(video, file, error.strerror or str(error)) from error
    if not container.streams.video:
        container.close()
        raise InputError("no_pictures", f"'{video.address}' has no pictures.")
    return container


def picture_stream(container: "InputContainer") -> "VideoStream":
    """The stream that is watched; others may be covers and previews."""
    best = container.streams.best("video")
    streams = container.streams.video
    return next((stream for stream in streams if best and stream.index == best.index), streams[0])


def duration(container: "InputContainer") -> Fraction:
    """How long a video says it lasts, in seconds; 0 where it does not."""
    stream = picture_stream(container)
    if stream.duration and stream.time_base:
        return stream.duration * stream.time_base
    said = _CLOCK.fullmatch(stream.metadata.get("DURATION", ""))  # Matroska: of this stream, sound may go on
    if said:
        hours, minutes, seconds = said.groups()
        return int(hours) * 3600 + int(minutes) * 60 + Fraction(seconds)
    return Fraction(container.duration or 0, 1_000_000)


def _fetch_of_copy(video: Video, facts: FileFacts, progress: Progress) -> Callable[[int, int], bytes]:
    """How a video is read that is fetched whole as soon as the first byte is asked for.

    Its copy is held open: others use it too, and one that makes room for theirs may delete it.
    """

    @cache
    def copy() -> FileIO:
        return FileIO(copy_of(video, facts, progress).address)

    def fetch(offset: int, length: int) -> bytes:
        try:
            return os.pread(copy().fileno(), length, offset)
        except OSError as error:
            raise video.trouble(error) from error

    return fetch


def _fetch(video: Video, facts: FileFacts, offset: int, length: int) -> bytes:
    try:
        if video.is_remote:
            return read_remote_range(video.address, video.allow, facts, offset, length)
        return _read_file(video.address, facts.stamp, offset, length)
    except (OSError, ValueError) as error:
        raise video.trouble(error) from error


def _read_file(path: str, stamp: str, offset: int, length: int) -> bytes:
    """A part of a local file; opened each time, for FFmpeg never tells when it is done with one."""
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - as light as can be
        if file_stamp(os.fstat(file.fileno())) != stamp:
            raise ConnectionError("it changed while it was read")
        return os.pread(file.fileno(), length, offset)
