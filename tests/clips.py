"""Videos made on the spot."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray


def frame_pixels(number: int) -> NDArray[np.uint8]:
    """A picture of eight bars that write the frame's number in binary, under a red edge."""
    bars = np.array([255 * (number >> bit & 1) for bit in range(8)], np.uint8)
    pixels = np.repeat(np.tile(np.repeat(bars, 8), (48, 1))[..., np.newaxis], 3, axis=2)
    pixels[:8] = (230, 20, 20)
    return pixels


@pytest.fixture(scope="session")
def make_video() -> Callable[..., Path]:
    """`make_video(path, frames, rate, codec, rotation, **options)`: pictures that tell their number."""

    def make(
        path: Path,
        frames: int = 30,
        rate: int | Fraction = 30,
        codec: str = "libx264",
        rotation: int = 0,
        **options: Any,
    ) -> Path:
        given = {"g": 10, "bf": 2, "threads": 1} | options
        with av.open(
            str(path), "w", options={"movflags": "faststart"} if path.suffix == ".mp4" else {}
        ) as container:
            stream = container.add_stream(codec, rate=rate, options={name: str(given[name]) for name in given})
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
            if rotation:
                stream.set_display_rotation(rotation)
            for number in range(frames):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(frame_pixels(number), "rgb24")))
            container.mux(stream.encode())
        return path

    return make
