from collections.abc import Callable
from itertools import combinations

import numpy as np
import pyarrow as pa
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from cv_pipelines.images.decode import Pixels, decode_image
from cv_pipelines.images.duplicates import MAX_DISTANCE, _candidates, near_duplicates
from cv_pipelines.images.manifest import NEAR_DUPLICATES
from cv_pipelines.images.statistics import perceptual_hash

Encode = Callable[..., bytes]
Picture = Callable[..., NDArray[np.uint8]]


def pairs_of(images: dict[str, Pixels], hashes: dict[str, str] | None = None) -> list[tuple[str, str, int]]:
    names = sorted(images)
    table = pa.table(
        {
            "image_id": names,
            "width": pa.array([images[name].shape[1] for name in names], pa.int32()),
            "height": pa.array([images[name].shape[0] for name in names], pa.int32()),
            "perceptual_hash": [(hashes or {}).get(name) or perceptual_hash(images[name]) for name in names],
        }
    )
    found = near_duplicates(table, images.__getitem__)
    assert found.schema == NEAR_DUPLICATES
    return [(row["image_id"], row["other_id"], row["distance"]) for row in found.to_pylist()]


@st.composite
def crowds(draw: st.DrawFn) -> list[int]:
    """Hashes of which many are a few bits apart."""
    hashes = draw(st.lists(st.integers(0, 2**64 - 1), max_size=6))
    for original in list(hashes):
        for flips in draw(st.lists(st.sets(st.integers(0, 63), max_size=6), max_size=4)):
            hashes.append(original ^ sum(1 << bit for bit in flips))
    return draw(st.permutations(hashes))


@given(crowds())
@example([])
@example([0, 2**64 - 1])
@example([0, 1 | 1 << 13 | 1 << 26 | 1 << 39])
@example([0, 1 << 13 | 1 << 26 | 1 << 39 | 1 << 52])
@example([0, 1 << 12 | 1 << 25 | 1 << 38 | 1 << 63])
@example([7, 7, 7])
def test_every_pair_of_hashes_within_four_bits_is_found_once(hashes: list[int]) -> None:
    places = combinations(range(len(hashes)), 2)
    distances = [(a, b, (hashes[a] ^ hashes[b]).bit_count()) for a, b in places]

    found = list(_candidates(np.array(hashes, np.uint64)))

    assert sorted(found) == [pair for pair in distances if pair[2] <= MAX_DISTANCE == 4]


def test_a_saved_again_picture_is_found_and_another_one_is_not(picture: Picture, encode: Encode) -> None:
    original = picture(1, 300, 200)
    images = {
        "a original": original,
        "b saved again": decode_image(encode(original, "JPEG", quality=60)),
        "c another": picture(2, 300, 200),
        "d smaller": picture(1, 150, 100),
    }

    found = pairs_of(images)

    assert [pair[:2] for pair in found] == [
        ("a original", "b saved again"),
        ("a original", "d smaller"),
        ("b saved again", "d smaller"),
    ]
    assert all(0 <= distance <= 4 for _, _, distance in found)


def test_equal_hashes_of_different_pictures_are_told_apart_by_their_pixels(picture: Picture) -> None:
    images = {"a": picture(1), "b": picture(2), "c": picture(1, 192, 160)}

    found = pairs_of(images, hashes={"a": "00" * 8, "b": "00" * 8, "c": "00" * 8})

    assert found == [("a", "c", 0)]


def test_two_blank_pictures_of_other_brightness_are_two_pictures() -> None:
    grey = {str(value): np.full((80, 80, 3), value, np.uint8) for value in (50, 52, 90)}

    assert [pair[:2] for pair in pairs_of(grey)] == [("50", "52")]


def test_small_images_are_never_near_duplicates(picture: Picture) -> None:
    assert pairs_of({"a": picture(1, 63, 200), "b": picture(1, 63, 200)}) == []
    assert pairs_of({"a": picture(1, 64, 64), "b": picture(1, 64, 64)}) == [("a", "b", 0)]


def test_without_images_there_are_no_pairs() -> None:
    assert pairs_of({}) == []
