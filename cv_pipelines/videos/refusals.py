"""Why something is not opened as a video, in words: FFmpeg says `Invalid data` of everything."""

import re

from cv_pipelines.errors import InputError
from cv_pipelines.remote.range_file import RangeFile
from cv_pipelines.videos.video import Video

_PLAYLIST = re.compile(
    rb"\s*(?:#EXTM3U|ffconcat|\[(?:playlist|reference)\]|<asx|<smil|<(?:\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)?<?(?:MPD|playlist)\b)",
    re.IGNORECASE | re.DOTALL,
)
"""HLS, FFmpeg's concat, PLS, ASX, SMIL, DASH and XSPF."""
_LOOKED_AT = 4096


def refusal(video: Video, file: RangeFile, said: str) -> InputError:
    """The error that says what is wrong.

    Args:
        video: for messages.
        file: its bytes.
        said: what FFmpeg said.
    """
    file.seek(0)
    head = file.read(_LOOKED_AT)
    what = f"'{video.address}'"
    if _PLAYLIST.match(head.removeprefix(b"\xef\xbb\xbf")):
        message = f"{what} is a playlist, which is not followed. Name the videos that it points to."
        return InputError("playlist", message, said)
    if head[4:8] == b"ftyp":
        message = (
            f"{what} is cut off, damaged or still being written: the table of its frames (moov) cannot be read. "
            "Copy it again."
        )
    else:
        message = f"{what} is not a video that can be read: {said}. Is all of it there?"
    return InputError("bad_video", message, said)
