"""Cutting a video into chunks that can be analysed apart: by its key frames alone, never by who does the work."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from cv_pipelines.errors import InputError
from cv_pipelines.motion.parameters import MotionParameters
from cv_pipelines.videos.frames import Frame

CHUNK_FRAMES = 240
"""A chunk ends at the first key frame after so many frames: some seconds of work."""


@dataclass(frozen=True)
class Chunk:
    """A stretch of a video, with all frames that its intervals need: one of the next chunk, or a stride of them.

    Attributes:
        number: from 0 on.
        first: position of `frames[0]` among all frames of the video, from 0 on.
        frames: of the stretch, and those that its last intervals end with.
        wanted: positions in `frames` between which motion is estimated, rising.
    """

    number: int
    first: int
    frames: tuple[Frame, ...]
    wanted: tuple[int, ...]

    @property
    def new(self) -> int:
        """How many frames no chunk before it has: each begins with the frame that the one before ends with."""
        return self.wanted[-1] - self.wanted[0] + (self.number == 0)


def plan_chunks(frames: Sequence[Frame], parameters: MotionParameters) -> list[Chunk]:
    """Cut a video; the intervals of all chunks together are those of the video, each in one chunk.

    Args:
        frames: all of a video, by time.
        parameters: which of them, and how far apart.

    Raises:
        InputError: there are no two frames to compare.
    """
    begin, end = parameters.start - 1, min(parameters.stop or len(frames), len(frames))
    looked_at = range(begin, end, parameters.stride)
    if len(looked_at) < 2:
        message = (
            f"There is no motion between frames {parameters.start} and {end} of {len(frames):,} at a stride of "
            f"{parameters.stride}: two frames are needed."
        )
        raise InputError("no_interval", message)
    cuts = [*_cuts(frames, begin, end), end]
    chunks: list[Chunk] = []
    for first, stop in pairwise(cuts):
        skipped = -(first - begin) % parameters.stride
        wanted = range(first + skipped, min(stop + parameters.stride, end), parameters.stride)
        if len(wanted) < 2:
            continue
        inside = tuple(frames[first : wanted[-1] + 1])
        chunks.append(Chunk(len(chunks), first, inside, tuple(place - first for place in wanted)))
    return chunks


def _cuts(frames: Sequence[Frame], begin: int, end: int) -> list[int]:
    """Where chunks begin."""
    cuts = [begin]
    for place in range(begin + CHUNK_FRAMES, end):
        if frames[place].time == frames[place].key and place - cuts[-1] >= CHUNK_FRAMES:
            cuts.append(place)
    return cuts
