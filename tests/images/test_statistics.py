from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from cv_pipelines.images.decode import decode_image
from cv_pipelines.images.statistics import SIDE, STATISTICS, image_statistics, perceptual_hashes, thumbnail

Encode = Callable[..., bytes]
Picture = Callable[..., NDArray[np.uint8]]


def flat(*rgb: int) -> NDArray[np.uint8]:
    return np.full((40, 50, 3), rgb, np.uint8)


def statistics_of(pixels: NDArray[np.uint8]) -> dict[str, float]:
    return {name: float(values[0]) for name, values in image_statistics(thumbnail(pixels)[None]).items()}


def hash_of(pixels: NDArray[np.uint8]) -> str:
    return perceptual_hashes(thumbnail(pixels)[None])[0]


def bits_apart(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> int:
    return (int(hash_of(first), 16) ^ int(hash_of(second), 16)).bit_count()


@pytest.mark.parametrize(
    ("rgb", "brightness", "saturation"),
    [((0, 0, 0), 0, 0), ((255, 255, 255), 1, 0), ((128, 128, 128), 0.502, 0), ((255, 0, 0), 0.298, 1)],
)
def test_a_single_colour_has_its_brightness_and_saturation_and_nothing_else(
    rgb: tuple[int, int, int], brightness: float, saturation: float
) -> None:
    values = statistics_of(flat(*rgb))

    assert values["brightness"] == pytest.approx(brightness, abs=0.002)
    assert values["saturation"] == pytest.approx(saturation, abs=0.002)
    assert (values["contrast"], values["sharpness"]) == (0, 0)


def test_half_black_and_half_white_has_the_greatest_contrast() -> None:
    pixels = flat(0, 0, 0)
    pixels[:, 25:] = 255

    values = statistics_of(pixels)

    assert values["brightness"] == pytest.approx(0.5, abs=0.01)
    assert values["contrast"] == pytest.approx(0.5, abs=0.01)


def test_a_blurred_picture_is_less_sharp(picture: Picture) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    blurred = np.asarray(cv2.GaussianBlur(noise, (9, 9), 3), np.uint8)

    assert statistics_of(blurred)["sharpness"] < statistics_of(noise)["sharpness"] / 10
    assert statistics_of(picture(1))["sharpness"] > 0


def test_size_plays_no_part(picture: Picture) -> None:
    small, large = statistics_of(picture(4, 64, 64)), statistics_of(picture(4, 640, 640))

    assert tuple(small) == STATISTICS
    for name in ("brightness", "contrast", "saturation"):
        assert small[name] == pytest.approx(large[name], abs=0.01)


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 500, 3), (500, 1, 3), (1, 70_000, 3)])
def test_the_smallest_images_and_the_longest_have_statistics_and_a_hash(shape: tuple[int, int, int]) -> None:
    pixels = np.full(shape, 100, np.uint8)

    assert all(np.isfinite(value) for value in statistics_of(pixels).values())
    assert len(hash_of(pixels)) == 16


def test_the_hash_is_16_hexadecimal_digits_and_has_about_as_many_ones_as_zeros(picture: Picture) -> None:
    for seed in range(10):
        text = hash_of(picture(seed))

        assert len(text) == 16
        assert int(text, 16).bit_count() == 32  # above the median


@pytest.mark.parametrize("quality", [50, 75, 95])
def test_the_hash_hardly_changes_when_a_picture_is_saved_again(
    picture: Picture, encode: Encode, quality: int
) -> None:
    for seed in range(10):
        pixels = picture(seed, 200, 160)
        again = decode_image(encode(pixels, "JPEG", quality=quality))

        assert bits_apart(pixels, again) <= 4


def test_the_hash_hardly_changes_with_size_and_brightness(picture: Picture) -> None:
    for seed in range(10):
        pixels = picture(seed, 200, 160)
        darker = (pixels * 0.85).astype(np.uint8)

        assert bits_apart(pixels, picture(seed, 400, 320)) <= 4
        assert bits_apart(pixels, darker) <= 4


def test_other_pictures_have_far_other_hashes(picture: Picture) -> None:
    pictures = [picture(seed) for seed in range(12)]

    assert min(bits_apart(a, b) for at, a in enumerate(pictures) for b in pictures[at + 1 :]) > 10


def test_the_hash_of_a_known_picture_stays_what_it_is() -> None:
    # the manifest's code version has to rise when this changes
    down, across = np.mgrid[:32, :32]
    tile = ((across**2 * 7 + down**2 * 13 + across * down * 5) % 256).astype(np.uint8)
    pixels = tile.repeat(3, axis=0).repeat(2, axis=1)[..., None].repeat(3, axis=2)

    assert hash_of(pixels) == "8e83fbc72e2370c1"


@pytest.mark.parametrize("count", [1, 2, 7, 64])
def test_an_image_has_the_same_numbers_whichever_others_it_is_measured_with(picture: Picture, count: int) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (count // 2, SIDE, SIDE, 3), dtype=np.uint8)
    smooth = [thumbnail(picture(seed)) for seed in range(count - len(noise) - 1)]
    together = np.stack([*noise, *smooth, thumbnail(flat(90, 90, 90))])

    hashes, values = perceptual_hashes(together), image_statistics(together)

    assert tuple(values) == STATISTICS
    assert all(numbers.shape == (count,) and numbers.dtype == np.float64 for numbers in values.values())
    for place, one in enumerate(together[:, None]):
        assert perceptual_hashes(one) == hashes[place : place + 1]
        for name, numbers in image_statistics(one).items():
            assert numbers[0] == values[name][place]


def test_blank_images_have_one_hash_whatever_their_brightness() -> None:
    assert {hash_of(flat(value, value, value)) for value in range(1, 256)} == {"8000000000000000"}
