"""A clip to measure on: a photo, a camera that pans, zooms and rolls to and fro, and the noise of a sensor."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from tests.motion.clips import Camera, Picture, scene_of, true_motion, views, write_clip

SIZE = (1920, 1080)
_DISTINCT, _TIMES = 150, 5


@dataclass(frozen=True)
class Clip:
    """A file and what is true of it.

    Attributes:
        file: H.264, 1080p.
        frames: how many.
        shifts: translation of each interval in pixels, shape (frames - 1, 2).
    """

    file: Path
    frames: int
    shifts: NDArray[np.float64]


def make_clip(file: Path) -> Clip:
    """Write the clip: the same way to and fro, so that few pictures have to be made."""
    steps = np.arange(_DISTINCT, dtype=np.float64)
    path = Camera(
        np.exp(0.018 * np.sin(steps / 30)),
        np.radians(3) * np.sin(steps / 40),
        60 * np.sin(steps / 25) + steps / 2,
        30 * np.sin(steps / 18),
    )
    scene = scene_of("china.jpg", *SIZE)
    noise = [np.random.default_rng(n).normal(0, 2.5, (*SIZE[::-1], 1)).astype(np.float32) for n in range(8)]
    pictures = [
        np.clip(view + noise[n % 8], 0, 255).astype(np.uint8) for n, view in enumerate(views(scene, path, *SIZE))
    ]
    order = [*range(_DISTINCT), *range(_DISTINCT - 2, 0, -1)] * _TIMES

    def in_order() -> Iterator[Picture]:
        yield from (pictures[place] for place in order)

    write_clip(file, in_order(), options={"preset": "veryfast"})
    shifts = [true_motion(path, start, stop)[2:] for start, stop in pairwise(order)]
    return Clip(file, len(order), np.array(shifts))


def repeat_clip(clip: Clip, file: Path, times: int) -> Clip:
    """The clip some times over, without encoding it again."""
    listed = file.with_suffix(".txt")
    listed.write_text(f"file '{clip.file}'\n" * times)
    command = [
        "ffmpeg",
        "-loglevel",
        "error",
        "-f",
        "concat",
        "-safe",
        "0",
        "-i",
        str(listed),
        "-c",
        "copy",
        str(file),
    ]
    subprocess.run(command, check=True)
    with av.open(str(file)) as container:
        return Clip(file, container.streams.video[0].frames, np.tile(clip.shifts, (times, 1)))
