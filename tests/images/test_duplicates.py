import io
from collections import Counter
from collections.abc import Callable
from itertools import combinations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from cv_pipelines.images.decode import Pixels, decode_image
from cv_pipelines.images.duplicates import MAX_DISTANCE, MOST_ALIKE, Comparison, candidate_pairs, near_duplicates
from cv_pipelines.images.manifest import COMPARISONS, NEAR_DUPLICATES
from cv_pipelines.images.statistics import image_statistics, perceptual_hashes, thumbnail

Encode = Callable[..., bytes]
Picture = Callable[..., NDArray[np.uint8]]


def table_of(images: dict[str, Pixels], hashes: dict[str, str]) -> pa.Table:
    names = sorted(images)
    small = {name: thumbnail(images[name])[None] for name in names}
    own = {name: perceptual_hashes(small[name])[0] for name in names}
    return pa.table(
        {
            "image_id": names,
            "width": pa.array([images[name].shape[1] for name in names], pa.int32()),
            "height": pa.array([images[name].shape[0] for name in names], pa.int32()),
            "perceptual_hash": [(own | hashes)[name] for name in names],
            "brightness": [
                float(image_statistics(thumbnail(images[name])[None])["brightness"][0]) for name in names
            ],
        }
    )


def compared(
    images: dict[str, Pixels], hashes: dict[str, str] | None = None, known: pa.Table | None = None
) -> tuple[Comparison, Counter[str]]:
    """What was found, and how often each file was read."""
    read: Counter[str] = Counter()
    files = {name: png(pixels) for name, pixels in images.items()}

    def load(name: str) -> bytes:
        read[name] += 1
        return files[name]

    return near_duplicates(table_of(images, hashes or {}), load, known), read


def png(pixels: Pixels) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def pairs_of(images: dict[str, Pixels], hashes: dict[str, str] | None = None) -> list[tuple[str, str, int]]:
    found = compared(images, hashes)[0].pairs
    assert found.schema == NEAR_DUPLICATES
    return [(row["image_id"], row["other_id"], row["distance"]) for row in found.to_pylist()]


@st.composite
def crowds(draw: st.DrawFn) -> list[int]:
    """Hashes of which many are a few bits apart."""
    hashes = draw(st.lists(st.integers(0, 2**64 - 1), max_size=6))
    for original in list(hashes):
        for flips in draw(st.lists(st.sets(st.integers(0, 63), max_size=6), max_size=4)):
            hashes.append(original ^ sum(1 << bit for bit in flips))
    return draw(st.permutations(hashes[:MOST_ALIKE]))


@given(crowds())
@example([])
@example([0, 2**64 - 1])
@example([0, 1 | 1 << 13 | 1 << 26 | 1 << 39])
@example([0, 1 << 13 | 1 << 26 | 1 << 39 | 1 << 52])
@example([0, 1 << 12 | 1 << 25 | 1 << 38 | 1 << 63])
@example([7, 7, 7])
@example([0, 273, 498, 273, 87, 499, 273, 273, 273, 273])
def test_every_pair_of_hashes_within_four_bits_is_found_once(hashes: list[int]) -> None:
    places = combinations(range(len(hashes)), 2)
    near = [(a, b) for a, b in places if (hashes[a] ^ hashes[b]).bit_count() <= MAX_DISTANCE == 4]

    found = candidate_pairs(np.array(hashes, np.uint64))

    assert [tuple(pair) for pair in found.tolist()] == near


def test_pairs_are_found_where_thousands_share_a_band_of_bits() -> None:
    random = np.random.default_rng(0)
    upper = random.choice(2**24, 5000, replace=False).astype(np.uint64) << np.uint64(
        40
    )  # the lowest bands are equal
    near = upper[:100] ^ (np.uint64(1) << random.integers(40, 64, 100).astype(np.uint64))
    hashes = np.unique(np.concatenate([upper, near]))
    distance = np.bitwise_count(hashes[:, None] ^ hashes)

    found = candidate_pairs(hashes)

    assert np.array_equal(found, np.argwhere(np.triu(distance <= MAX_DISTANCE, 1)))
    assert len(found) >= 100


@pytest.mark.parametrize("flips", [0, 1 << 7, 0b1111])
def test_a_crowd_of_one_hash_costs_its_number_and_not_the_square_of_it(flips: int) -> None:
    hashes = np.full(5000, 2**63 + 5, np.uint64)
    hashes[::2] ^= np.uint64(flips)

    found = candidate_pairs(hashes)

    assert len(found) <= 4 * MOST_ALIKE * len(hashes)
    assert len(np.unique(found, axis=0)) == len(found)
    assert (found[:, 0] < found[:, 1]).all()
    assert set(found.ravel().tolist()) == set(range(5000)), "each is compared with some"


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


def test_pictures_of_another_brightness_are_not_even_read() -> None:
    grey = {str(value): np.full((80, 80, 3), value, np.uint8) for value in (50, 57, 58, 90)}

    found, read = compared(grey)

    assert [pair["image_id"] + pair["other_id"] for pair in found.pairs.to_pylist()] == ["5057", "5758"]
    assert read == {"50": 1, "57": 1, "58": 1}


def test_without_images_there_are_no_pairs() -> None:
    assert pairs_of({}) == []


def test_likeness_does_not_pass_from_one_to_the_next() -> None:
    grey = {
        name: np.full((80, 80, 3), value, np.uint8) for name, value in zip("abcd", (50, 56, 62, 68), strict=True)
    }

    assert [pair[:2] for pair in pairs_of(grey)] == [("a", "b"), ("b", "c"), ("c", "d")]


def test_every_pair_that_was_looked_at_is_noted_with_its_difference(picture: Picture) -> None:
    images = {"a": picture(1), "b": picture(1)[::-1], "c": picture(1)}

    found, read = compared(images, hashes=dict.fromkeys(images, "00" * 8))

    assert found.compared.schema == COMPARISONS
    noted = {(row["image_id"], row["other_id"]): row["difference"] for row in found.compared.to_pylist()}
    assert noted.keys() == {("a", "b"), ("a", "c"), ("b", "c")}
    assert noted["a", "c"] == 0
    assert noted["a", "b"] == noted["b", "c"] > 0.03
    assert read == {"a": 1, "b": 1, "c": 1}


def test_what_was_compared_before_is_not_read_again(picture: Picture) -> None:
    images = {"b": picture(1), "c": picture(1, 192, 160), "d": picture(1)[::-1]}
    hashes = dict.fromkeys("abcd", "00" * 8)
    first, _ = compared(images, hashes)

    again, nothing = compared(images, hashes, first.compared)
    more, read = compared({**images, "a": picture(1)[::-1]}, hashes, first.compared)
    fewer, _ = compared({"c": images["c"]}, hashes, first.compared)

    assert nothing == {}
    assert again.pairs.equals(first.pairs)
    assert again.compared.equals(first.compared)
    assert read == {"a": 1, "b": 1, "c": 1, "d": 1}, "each with the new one"
    assert [tuple(row.values()) for row in more.pairs.to_pylist()] == [("a", "d", 0), ("b", "c", 0)]
    assert fewer.compared.num_rows == fewer.pairs.num_rows == 0


def test_a_known_difference_is_believed(picture: Picture) -> None:
    images = {"a": picture(1), "b": picture(1)[::-1]}
    row = {"image_id": "a", "other_id": "b", "difference": 0.01}

    found, read = compared(images, dict.fromkeys("ab", "00" * 8), pa.Table.from_pylist([row], COMPARISONS))

    assert read == {}
    assert found.pairs.num_rows == 1


def test_progress_counts_pairs(picture: Picture) -> None:
    told: list[tuple[str, int, int | None]] = []
    table = table_of({"a": picture(1), "b": picture(1), "c": picture(1)}, {})

    near_duplicates(table, lambda _: png(picture(1)), progress=lambda *step: told.append(step))

    assert told == [("comparing alike images", 3, 3)]
