"""Videos made on the spot."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
import pytest
from numpy.typing import NDArray


def frame_pixels(number: int, width: int = 64, height: int = 48) -> NDArray[np.uint8]:
    """A picture of eight bars that write the frame's number in binary, under a red edge."""
    bars = np.array([255 * (number >> bit & 1) for bit in range(8)], np.uint8)
    row = bars[np.arange(width) * 8 // width]
    pixels = np.repeat(np.tile(row, (height, 1))[..., np.newaxis], 3, axis=2)
    pixels[: height // 6] = (230, 20, 20)
    return pixels


def number_in(pixels: np.ndarray) -> int:
    """The number that `frame_pixels` wrote, in spite of what a codec has done to it."""
    height, width = pixels.shape[:2]
    row = pixels[height // 3 : height * 5 // 6].mean(axis=(0, 2))
    return sum(1 << bit for bit in range(8) if row[round((bit + 0.5) * width / 8)] > 128)


@pytest.fixture(scope="session")
def make_video() -> Callable[..., Path]:
    """`make_video(path, …)`: see write_video."""
    return write_video


def write_video(
    path: Path,
    frames: int = 30,
    rate: int | Fraction = 30,
    codec: str = "libx264",
    rotation: int = 0,
    pix_fmt: str = "yuv420p",
    size: tuple[int, int] = (64, 48),
    times: Sequence[int] = (),
    movflags: str = "faststart",
    noise: bool = False,
    **options: Any,
) -> Path:
    """Write a video of pictures that tell their number, 0 and on.

    Args:
        path: its suffix chooses the container.
        frames: how many.
        rate: of them a second.
        codec: as PyAV names it; `options` are its own.
        rotation: that a player has to undo.
        pix_fmt: of FFmpeg.
        size: width and height.
        times: when each frame is shown, in milliseconds; empty: evenly, by the rate.
        movflags: of an MP4.
        noise: the lower sixth is noise, so that the file is large.
    """
    given = {"g": 10, "bf": 2, "threads": 1} | options
    generator = np.random.default_rng(0)
    with av.open(str(path), "w", options={"movflags": movflags} if path.suffix == ".mp4" else {}) as container:
        words = {name: str(value) for name, value in given.items()}
        stream = cast(av.VideoStream, container.add_stream(codec, rate=rate, options=words))
        stream.width, stream.height, stream.pix_fmt = *size, pix_fmt
        if times:
            stream.codec_context.time_base = Fraction(1, 1000)
        if rotation:
            stream.set_display_rotation(rotation)
        for number in range(len(times) or frames):
            pixels = frame_pixels(number, *size)
            if noise:
                edge = size[1] * 5 // 6
                pixels[edge:] = generator.integers(0, 256, pixels[edge:].shape, dtype=np.uint8)
            frame = av.VideoFrame.from_ndarray(pixels, "rgb24")
            if times:
                frame.pts, frame.time_base = times[number], Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path
