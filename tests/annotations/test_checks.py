"""What is wrong with labels is found, and nothing else."""

import math
from itertools import combinations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cv_pipelines.annotations.annotation import Annotation, Box, Ring, outlined
from cv_pipelines.annotations.checks import Rules, check_annotations, crosses_itself, duplicates

CAR = Box("car", 10, 20, 30, 40)
FEW = Rules(least=0)


def codes(*boxes: Box, rules: Rules = FEW) -> list[str]:
    found = check_annotations([Annotation("a.jpg", 200, 100, (), boxes)], rules)
    assert found.blocking == bool(
        set(found.counts) & {"no_area", "outside", "duplicate", "unknown_class", "missing_image"}
    )
    return [one.code for one in found.first]


@pytest.mark.parametrize(
    ("box", "code"),
    [
        (CAR._replace(width=0), "no_area"),
        (CAR._replace(height=-5), "no_area"),
        (CAR._replace(width=float("nan")), "no_area"),
        (CAR._replace(left=-2), "outside"),
        (CAR._replace(top=-2), "outside"),
        (CAR._replace(width=192), "outside"),
        (CAR._replace(height=82), "outside"),
        (outlined("car", (((0, 0), (9, 9), (9, 0), (0, 9)),)), "self_crossing"),
    ],
)
def test_one_box(box: Box, code: str) -> None:
    assert codes(CAR) == []
    assert codes(box) == [code]


def test_a_box_may_reach_the_edge_and_a_pixel_beyond() -> None:
    assert codes(Box("car", 0, 0, 200, 100), Box("van", -1, -1, 202, 102)) == []
    assert codes(Box("car", -1, 0, 201, 100), rules=Rules(least=0, tolerance=0)) == ["outside"]


def test_without_a_size_nothing_is_outside() -> None:
    assert not check_annotations([Annotation("a.jpg", boxes=(CAR._replace(left=1e6),))], FEW).counts


def test_the_same_box_twice_and_almost() -> None:
    wide = Box("car", 0, 0, 100, 90)

    assert codes(wide, wide) == ["duplicate"]
    assert codes(wide, wide._replace(left=2, top=2)) == ["near_duplicate"]
    assert codes(wide, wide._replace(left=12)) == []
    assert codes(wide, wide._replace(label="bus")) == []
    assert duplicates((wide, wide, wide)) == [(0, 1, 1.0), (0, 2, 1.0)]


PLACES = st.tuples(st.integers(0, 20), st.integers(0, 20), st.integers(30, 100), st.integers(30, 100))


@given(st.lists(PLACES, max_size=8))
@example([(0, 0, 100, 50), (18, 0, 82, 50)])
def test_duplicates_are_among_all_pairs(places: list[tuple[int, int, int, int]]) -> None:
    boxes = tuple(Box("car", *place) for place in places)
    wanted = {pair for pair in combinations(range(len(boxes)), 2) if _iou(boxes[pair[0]], boxes[pair[1]]) >= 0.8}

    found = {(first, second) for first, second, _ in duplicates(boxes)}

    assert found <= wanted
    alike = {place for pair in found for place in pair}
    assert all(set(pair) & alike for pair in wanted)


def _iou(one: Box, other: Box) -> float:
    width = min(one.right, other.right) - max(one.left, other.left)
    height = min(one.bottom, other.bottom) - max(one.top, other.top)
    common = max(0, width) * max(0, height)
    return common / (one.width * one.height + other.width * other.height - common)


def test_classes_and_images_that_are_not_there() -> None:
    labels = [
        Annotation("a.jpg", 200, 100, ("night",), (CAR, Box("bus", 1, 2, 3, 4), Box("bus", 90, 2, 3, 4))),
        Annotation("b.jpg", 200, 100),
    ]

    found = check_annotations(labels, Rules(classes=("car", "van"), images={"a.jpg"}, least=1))

    assert [(one.code, one.image) for one in found.first] == [
        ("unknown_class", "a.jpg"),
        ("unknown_class", "a.jpg"),
        ("missing_image", "b.jpg"),
        ("too_few", ""),
    ]
    assert "'van' has 0" in found.first[-1].message


def test_findings_are_counted_beyond_those_that_are_kept() -> None:
    labels = (Annotation(f"{n}.jpg", 10, 10, (), (Box("car", 0, 0, 0, 0),)) for n in range(1500))

    found = check_annotations(labels, FEW)

    assert (found.counts["no_area"], len(found.first)) == (1500, 1000)


def star(points: int, step: int) -> Ring:
    return tuple(
        (math.cos(2 * math.pi * n * step / points), math.sin(2 * math.pi * n * step / points))
        for n in range(points)
    )


def test_rings_that_cross_themselves() -> None:
    assert not crosses_itself(star(5, 1))
    assert crosses_itself(star(5, 2))
    assert not crosses_itself(star(701, 1))
    assert crosses_itself(star(701, 350))
    late = list(star(701, 1))
    late[600], late[601] = late[601], late[600]
    assert crosses_itself(tuple(late))
