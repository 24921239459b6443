"""Clips whose camera motion is known: pictures moved by similarities, then encoded."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import cast

import av
import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Picture = NDArray[np.uint8]
Spoil = Callable[[int, Picture], Picture]
CRF = "20"
"""Between x264's default (23), at which the encoder itself moves some B-frames by more than 0.1 pixels, and
what is called visually lossless (18)."""
MARGIN = 1.6
"""The scene is so many times larger than the picture: a camera has to move somewhere."""


@dataclass(frozen=True)
class Camera:
    """Where a scene's content is in each frame, against the first: shape (n,) each, as in INTERVALS."""

    scale: Floats
    rotation: Floats
    tx: Floats
    ty: Floats

    def __len__(self) -> int:
        return len(self.scale)


def camera(frames: int, zoom: float = 1.0, roll: float = 0.0, x: float = 0.0, y: float = 0.0) -> Camera:
    """A steady motion: zoom factor, degrees and pixels a frame."""
    steps = np.arange(frames, dtype=np.float64)
    return Camera(zoom**steps, np.radians(roll) * steps, x * steps, y * steps)


def shaken(frames: int, pixels: float, seed: int = 0) -> Camera:
    """A hand that does not hold still: a random walk that is drawn back."""
    random = np.random.default_rng(seed)
    x, y = (np.convolve(random.normal(0, pixels, frames + 4), np.ones(3) / 3, "same")[:frames] for _ in range(2))
    turn = np.convolve(random.normal(0, 0.002, frames + 4), np.ones(3) / 3, "same")[:frames]
    return Camera(np.ones(frames), turn - turn[0], x - x[0], y - y[0])


def matrices(path: Camera) -> NDArray[np.complex128]:
    """Each frame's similarity as complex numbers (a, b): z -> a z + b about the centre; shape (n, 2)."""
    return np.stack([path.scale * np.exp(1j * path.rotation), path.tx + 1j * path.ty], axis=1)


def true_motion(path: Camera, start: int, stop: int) -> tuple[float, float, float, float]:
    """Scale, rotation (radians), x and y of the motion between two frames."""
    (a, b), (c, d) = matrices(path)[[start, stop]]
    turn = c / a
    shift = d - turn * b
    return abs(turn), float(np.angle(turn)), shift.real, shift.imag


def texture(width: int, height: int, seed: int = 0) -> Picture:
    """A scene with detail of every size, as nature has it; shape (height, width, 3)."""
    random = np.random.default_rng(seed)
    scene = np.zeros((height, width, 3), np.float32)
    for cell in (2, 4, 8, 16, 32, 64, 128):
        noise = random.normal(0, cell**0.5, (height // cell + 2, width // cell + 2, 3)).astype(np.float32)
        scene += cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
    scene = 128 + scene * (45 / scene.std())
    return np.clip(scene, 0, 255).astype(np.uint8)


def photo(name: str, width: int, height: int) -> Picture:
    """One of scikit-learn's two photos, half as large again, and mirrored at its edges until it covers a scene."""
    from sklearn.datasets import load_sample_image

    picture = np.ascontiguousarray(load_sample_image(name))
    large = cv2.resize(picture, None, fx=1.5, fy=1.5, interpolation=cv2.INTER_CUBIC)
    missing = (max(0, height - large.shape[0]), max(0, width - large.shape[1]))
    tiled = np.pad(large, ((0, missing[0]), (0, missing[1]), (0, 0)), mode="symmetric")
    return np.ascontiguousarray(tiled[:height, :width])


@cache
def scene_of(name: str, width: int, height: int) -> Picture:
    """A scene large enough for pictures of a size; a photo's name, or a number that a texture is made from."""
    size = round(width * MARGIN), round(height * MARGIN)
    return photo(name, *size) if name.endswith(".jpg") else texture(*size, seed=int(name))


def views(scene: Picture, path: Camera, width: int, height: int) -> Iterator[Picture]:
    """What the camera sees, frame by frame; shape (height, width, 3).

    The scene is sampled at twice the size, by linear interpolation: OpenCV's cubic one is up to 0.04 pixels off.
    """
    size = np.array([width, height]) * 2
    centre, middle = (size - 1) / 2, (np.array(scene.shape[1::-1]) - 1) / 2
    for a, b in matrices(path):
        turn = 2 * np.array([[a.real, -a.imag], [a.imag, a.real]])
        shift = centre + 2 * np.array([b.real, b.imag]) - turn @ middle
        warp = np.hstack([turn, shift[:, None]])
        large = cv2.warpAffine(scene, warp, size.tolist(), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
        yield np.asarray(cv2.resize(large, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def write_clip(
    file: Path,
    pictures: Iterator[Picture],
    rate: int = 30,
    codec: str = "libx264",
    pixels: str = "yuv420p",
    options: dict[str, str] | None = None,
) -> Path:
    """Encode pictures at ordinary quality."""
    with av.open(str(file), "w") as container:
        given = {"crf": CRF, **(options or {})}
        stream = cast(av.VideoStream, container.add_stream(codec, rate=Fraction(rate), options=given))
        stream.pix_fmt = pixels
        for number, picture in enumerate(pictures):
            if not number:
                stream.height, stream.width = picture.shape[:2]
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return file


def clip(file: Path, scene: str, path: Camera, size: tuple[int, int], spoil: Spoil = lambda _, p: p) -> Path:
    """A clip of a scene that a camera moves over; `spoil` adds what is not the camera's."""
    pictures = views(scene_of(scene, *size), path, *size)
    return write_clip(file, (spoil(number, picture) for number, picture in enumerate(pictures)))
