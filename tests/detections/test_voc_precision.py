"""Average precision of VOC, against its definition written down once more, without any of our arrays."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cv_pipelines.annotations.annotation import Box
from cv_pipelines.detections import voc_precision
from cv_pipelines.detections.voc_precision import all_points, average_precisions, eleven_points
from tests.detections.boxes import Seen, one_class

IMAGES = ("a", "b")
places = st.tuples(*(st.integers(low, high) for low, high in ((0, 6), (0, 3), (1, 6), (1, 3))))
kinds = st.sampled_from([{}, {}, {}, {"difficult": 1}, {"iscrowd": 1}])
boxes = st.builds(lambda place, kind: Box._make(("cat", *map(float, place), (), kind)), places, kinds)
labels = st.fixed_dictionaries({image: st.lists(boxes, max_size=4) for image in IMAGES})
detections = st.lists(
    st.builds(
        lambda image, place, score: (image, "cat", *map(float, place), score / 4),
        st.sampled_from(IMAGES),
        places,
        st.integers(0, 4),
    ),
    max_size=12,
)


def overlap(one: Seen, box: Box) -> Fraction:
    left, top, width, height = (Fraction(part) for part in one[2:6])
    across = min(left + width, Fraction(box.right)) - max(left, Fraction(box.left))
    down = min(top + height, Fraction(box.bottom)) - max(top, Fraction(box.top))
    common = max(across, Fraction(0)) * max(down, Fraction(0))
    return common / (width * height + Fraction(box.width) * Fraction(box.height) - common)


def by_definition(images: dict[str, list[Box]], seen: list[Seen]) -> tuple[Fraction, Fraction] | None:
    """The devkit's loop: the surest detection first, each object found once; and both areas below the curve."""
    wanted = sum(not box.attributes for boxes in images.values() for box in boxes)
    if not wanted:
        return None
    taken, right, curve = set(), 0, list[tuple[Fraction, Fraction]]()
    for one in sorted(seen, key=lambda one: -one[6]):
        best, place = Fraction(-1), -1
        for number, box in enumerate(images[one[0]]):
            if overlap(one, box) > best:
                best, place = overlap(one, box), number
        hit = False
        if best >= Fraction(1, 2):
            if images[one[0]][place].attributes:
                continue
            hit = (one[0], place) not in taken
            taken.add((one[0], place))
        right += hit
        curve.append((Fraction(right, wanted), Fraction(right, len(curve) + 1)))
    tenths = [max([p for r, p in curve if r >= Fraction(t, 10)], default=Fraction(0)) for t in range(11)]
    steps = sorted({Fraction(0)} | {r for r, _ in curve})
    heights = [max(p for r, p in curve if r >= step) for step in steps[1:]]
    area = sum(((b - a) * p for a, b, p in zip(steps, steps[1:], heights, strict=False)), Fraction(0))
    return sum(tenths, Fraction(0)) / 11, area


@pytest.mark.parametrize("pairs", [1, 3, 1 << 20])
def test_as_defined(pairs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(voc_precision, "_PAIRS", pairs)

    @given(labels, detections)
    def check(images: dict[str, list[Box]], seen: list[Seen]) -> None:
        if not any(images.values()):
            return
        expected = by_definition(images, seen)
        found = average_precisions(*one_class(images, seen))
        if expected is None:
            assert np.isnan(found).all()
        else:
            assert found == pytest.approx([float(one) for one in expected], abs=1e-12)

    check()


def test_a_published_example() -> None:
    """15 objects, 24 detections by confidence.

    Source: R. Padilla et al., A Survey on Performance Metrics for Object-Detection Algorithms, 2020.
    """
    right = np.cumsum([int(sign) for sign in "101000000101110000000010"])
    recall, precision = right / 15, right / np.arange(1, 25)

    assert all_points(recall, precision) == pytest.approx(0.2457, abs=5e-5)
    assert eleven_points(recall, precision) == pytest.approx(0.2684, abs=5e-5)


def test_a_recall_of_three_tenths_is_one_of_three_tenths() -> None:
    recall, precision = np.arange(1, 11) / 10, np.ones(10)

    for count in range(1, 11):
        assert eleven_points(recall[:count], precision[:count]) == pytest.approx((count + 1) / 11)


def test_the_best_overlap_counts_even_where_its_object_has_been_found() -> None:
    """Unlike COCO, VOC does not look at the second best."""
    images = {"a": [Box("cat", 0, 0, 10, 10), Box("cat", 0, 2, 10, 10)]}
    seen: list[Seen] = [("a", "cat", 0, 0, 10, 10, 0.9), ("a", "cat", 0, 0.9, 10, 10, 0.8)]

    assert average_precisions(*one_class(images, seen))[1] == 0.5


def test_of_equal_overlaps_the_first_object_counts() -> None:
    easy, difficult = Box("cat", 0, 0, 10, 10), Box("cat", 0, 0, 10, 10, (), {"difficult": 1})
    seen: list[Seen] = [("a", "cat", 0, 0, 10, 10, 0.9)]

    assert average_precisions(*one_class({"a": [easy, difficult]}, seen)) == (1, 1)
    assert average_precisions(*one_class({"a": [difficult, easy]}, seen)) == (0, 0)
