import io
from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from cv_pipelines.images.contact_sheet import MAX_BYTES
from cv_pipelines.reports.stretch_sheets import Tile, clock, proof_sheet, static_sheet, stretch_caption

RED, GREEN, BLUE = (200, 30, 30), (30, 160, 30), (30, 30, 200)


def flat(colour: tuple[int, int, int], height: int = 90, width: int = 160) -> NDArray[np.uint8]:
    return np.full((height, width, 3), colour, np.uint8)


def noise(seed: int) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (180, 320, 3), dtype=np.uint8)


def opened(data: bytes) -> NDArray[np.int64]:
    image = Image.open(io.BytesIO(data))
    assert image.format == "JPEG"
    assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    return np.asarray(image.convert("RGB")).astype(int)


def places(pixels: NDArray[np.int64], colour: tuple[int, int, int]) -> NDArray[np.int64]:
    """Row and column of every pixel of a colour."""
    return np.argwhere(np.abs(pixels - np.array(colour)).max(axis=2) < 40)


@pytest.mark.parametrize("count", [0, 1, 2, 7, 46, 300])
def test_a_sheet_is_at_most_40_kilobytes_even_of_noise(count: int) -> None:
    tiles: list[Tile] = [(noise(seed), "0:00, 10 s") for seed in range(count)]
    for data in (static_sheet(tiles, "a.mp4"), proof_sheet([("a.mp4", tiles[::2]), ("b.mp4", tiles[1::2])])):
        opened(data)
        assert len(data) <= MAX_BYTES


def test_stretches_follow_each_other_row_by_row() -> None:
    pixels = opened(static_sheet([(flat(RED), ""), (flat(GREEN), ""), (flat(BLUE), "")]))
    (red, green, blue) = (places(pixels, colour).mean(axis=0) for colour in (RED, GREEN, BLUE))
    assert red[0] == pytest.approx(green[0], abs=3)
    assert red[1] < green[1]
    assert blue[0] > red[0]


def test_a_video_is_a_row_and_the_nth_stretch_is_in_column_n() -> None:
    rows = [
        ("first.mp4", [(flat(RED), ""), (flat(GREEN), ""), (flat(RED), "")]),
        ("second.mp4", [(flat(BLUE), "")]),
    ]
    pixels = opened(proof_sheet(rows))
    blue, red = places(pixels, BLUE), places(pixels, RED)
    assert blue[:, 0].min() > red[:, 0].max()
    assert blue[:, 1].min() == pytest.approx(red[:, 1].min(), abs=3)
    below_green = pixels[int(blue[:, 0].mean()), int(places(pixels, GREEN)[:, 1].mean())]
    assert np.abs(below_green - [240, 241, 243]).max() < 6


def test_captions_names_and_title_are_written_below_beside_and_above() -> None:
    def dark(name: str, caption: str, title: str) -> NDArray[np.int64]:
        return places(opened(proof_sheet([(name, [(flat(RED), caption)])], title)), (40, 40, 40))

    red = places(opened(proof_sheet([("", [(flat(RED), "")])])), RED)
    (top, left), bottom = red.min(axis=0), red[:, 0].max()
    assert len(dark("", "", "")) == 0
    assert dark("", "0:05, 3 s", "")[:, 0].min() >= bottom
    assert dark("name.mp4", "", "")[:, 1].max() < left
    assert dark("", "", "Title")[:, 0].max() < top


def test_a_picture_that_could_not_be_read_is_a_cross() -> None:
    empty, flat_grey = opened(static_sheet([(None, "")])), opened(static_sheet([(flat((240, 241, 243)), "")]))
    assert empty.shape == flat_grey.shape
    assert np.abs(empty - flat_grey).max() > 50


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1920, 1080), (100, 2000), (2000, 100)])
def test_pictures_of_any_shape_keep_it(height: int, width: int) -> None:
    found = places(opened(static_sheet([(flat(RED, height, width), "")])), RED)
    tall, wide = found.max(axis=0) - found.min(axis=0) + 1
    assert wide / tall == pytest.approx(width / height, rel=0.25)


def test_with_more_bytes_the_pictures_are_larger() -> None:
    tiles: list[Tile] = [(noise(seed), "") for seed in range(30)]
    small, large = static_sheet(tiles), static_sheet(tiles, max_bytes=10**6)
    assert opened(large).size > 2 * opened(small).size


def test_texts_of_strangers_do_no_harm() -> None:
    opened(proof_sheet([("\x00\n\udcff" * 99, [(None, "猫 " * 99)])], "\x1b[2J"))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00"), (59.99, "0:59"), (725, "12:05"), (3723.9, "1:02:03"), (Fraction(7, 2), "0:03")],
)
def test_a_clock(seconds: Fraction | float, text: str) -> None:
    assert clock(seconds) == text


def test_a_caption_says_when_and_how_long() -> None:
    assert stretch_caption(Fraction(21750, 30), 768.4) == "12:05, 43 s"


def test_of_a_video_that_never_rests_that_is_said() -> None:
    assert (opened(static_sheet([])) < 200).any(), "without a title, only these words can be there"
    rows = opened(proof_sheet([("", [(flat(RED), "")]), ("", [])]))
    below = rows[places(rows, RED)[0].max() + 8 :]
    assert (below < 200).any()
