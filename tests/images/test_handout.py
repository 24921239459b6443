"""Files that are handed out show the same and say nothing."""

from collections.abc import Callable
from io import BytesIO

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from cv_pipelines.images.decode import decode_image
from cv_pipelines.images.handout import handed_out
from cv_pipelines.images.header import open_image, read_orientation

WORDS = b"51.5007 N"


def exif(orientation: int) -> Image.Exif:
    found = Image.Exif()
    found[0x0112], found[0x010E] = orientation, WORDS.decode()
    return found


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"])
@pytest.mark.parametrize("orientation", [1, 6])
def test_what_is_handed_out_is_upright_and_silent(
    kind: str, orientation: int, picture: Callable[..., np.ndarray], encode: Callable[..., bytes]
) -> None:
    options: dict[str, object] = {} if kind in ("GIF", "BMP") else {"exif": exif(orientation)}
    if kind == "PNG":
        text = PngImagePlugin.PngInfo()
        text.add_text("where", WORDS.decode())
        options |= {"pnginfo": text}
    if kind == "GIF":
        options |= {"comment": WORDS}
    data = encode(picture(), kind, **options)
    assert kind == "BMP" or WORDS in data

    out = handed_out(data)

    assert WORDS not in out
    assert (open_image(out).format, read_orientation(open_image(out))) == (kind, 1)
    near = 12 if kind == "JPEG" and orientation != 1 else 0
    shown, before = decode_image(out).astype(int), decode_image(data).astype(int)
    assert shown.shape == before.shape
    assert np.abs(shown - before).max() <= near


def test_the_pixels_of_an_upright_photo_are_not_written_anew(
    picture: Callable[..., np.ndarray], encode: Callable[..., bytes]
) -> None:
    plain = encode(picture(), "JPEG", quality=80)
    telling = encode(picture(), "JPEG", quality=80, exif=exif(1), comment=WORDS)

    assert handed_out(plain) == plain
    assert handed_out(telling) == plain


def test_a_colour_profile_stays(picture: Callable[..., np.ndarray], encode: Callable[..., bytes]) -> None:
    data = encode(picture(), "JPEG", icc_profile=b"profile", exif=exif(1))

    assert Image.open(BytesIO(handed_out(data))).info["icc_profile"] == b"profile"
