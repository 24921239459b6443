"""The one way from the bytes of an image file to pixels, everywhere in the platform.

Pillow decodes: it refuses truncated files that OpenCV fills with grey, and knows the odd ones.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from cv_pipelines.errors import InputError, ResourceError
from cv_pipelines.images.header import open_image

Pixels = NDArray[np.uint8]


def decode_image(data: bytes, at_least: int | None = None) -> Pixels:
    """Decode the first frame of an image file.

    Args:
        data: the bytes of the file.
        at_least: both sides need no more pixels than this; a larger JPEG may then be decoded at a
            half, a quarter or an eighth of its size, which costs a fraction.

    Returns:
        RGB, uint8, (height, width, 3), upright; transparency over white, 16 bits scaled to 8.

    Raises:
        InputError: code `empty`, `not_an_image` or `undecodable`.
        ResourceError: code `out_of_memory`.
    """
    return decode_opened(open_image(data), at_least)


def decode_opened(image: Image.Image, at_least: int | None = None) -> Pixels:
    """Like `decode_image`, for a file that is open."""
    try:
        if at_least is not None:
            image.draft("RGB", (at_least, at_least))
        image.load()
        ImageOps.exif_transpose(image, in_place=True)
        rgb = _to_rgb(image)
        return np.frombuffer(rgb.tobytes(), np.uint8).reshape(rgb.height, rgb.width, 3)
    except MemoryError as error:
        raise ResourceError("out_of_memory", "There is not enough memory to decode an image.") from error
    except Exception as error:
        message = f"Cannot be decoded: {error or type(error).__name__}."
        raise InputError("undecodable", message, repr(error)) from error


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return Image.fromarray(_to_8_bits(np.asarray(image))).convert("RGB")
    if image.mode == "RGB" and "transparency" not in image.info:
        return image
    if image.has_transparency_data:
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    return image.convert("RGB")


def _to_8_bits(values: NDArray[np.generic]) -> Pixels:
    """Scale grey values: integers from 16 bits, floats from the range that they have."""
    if np.issubdtype(values.dtype, np.integer):
        high_bytes: Pixels = (np.clip(values, 0, 65535).astype(np.uint16) >> 8).astype(np.uint8)
        return high_bytes
    known = values[np.isfinite(values)]
    if not known.size:
        return np.zeros(values.shape, np.uint8)
    low, high = float(known.min()), float(known.max())
    finite = np.clip(np.nan_to_num(values.astype(np.float64), nan=low), low, high)
    scale = 255.0 / (high - low) if high > low else 0.0
    scaled: Pixels = np.rint((finite - low) * scale).astype(np.uint8)
    return scaled
