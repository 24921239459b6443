"""Agreement against published examples, scikit-learn, and counting by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cv_pipelines.annotations.agreement import (
    Raters,
    box_agreement,
    by_annotator,
    cohens_kappa,
    fleiss_kappa,
    fleiss_kappa_by_class,
    iou_of,
    match_boxes,
)
from cv_pipelines.annotations.annotation import Box

# 14 raters, 10 subjects, 5 categories: the worked example in the encyclopaedias' article on Fleiss' kappa
FOURTEEN = [
    [0, 0, 0, 0, 14],
    [0, 2, 6, 4, 2],
    [0, 0, 3, 5, 6],
    [0, 3, 9, 2, 0],
    [2, 2, 8, 1, 1],
    [7, 7, 0, 0, 0],
    [3, 2, 6, 3, 0],
    [2, 5, 3, 2, 2],
    [6, 5, 2, 1, 0],
    [0, 2, 2, 3, 7],
]


def test_cohen_by_hand() -> None:
    """Of 50 proposals both accept 20 and refuse 15, one alone accepts 5 and 10: (0.7 - 0.5) / 0.5."""
    first = ["yes"] * 25 + ["no"] * 25
    second = ["yes"] * 20 + ["no"] * 5 + ["yes"] * 10 + ["no"] * 15

    assert cohens_kappa(first, second) == pytest.approx(0.4)


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=40))
def test_cohen_is_that_of_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    from sklearn.metrics import cohen_kappa_score

    first, second = zip(*pairs, strict=True)
    ours = cohens_kappa(first, second)
    if len({*first, *second}) == 1:
        assert math.isnan(ours)
    else:
        assert ours == pytest.approx(cohen_kappa_score(first, second))


def test_cohen_of_nothing_and_of_unequal_lengths() -> None:
    assert math.isnan(cohens_kappa([], []))
    with pytest.raises(ValueError, match="compared"):
        cohens_kappa(["a"], [])


def test_fleiss_as_published() -> None:
    assert fleiss_kappa(FOURTEEN) == pytest.approx(0.210, abs=5e-4)


@given(st.lists(st.lists(st.integers(0, 2), min_size=4, max_size=4), min_size=1, max_size=12))
def test_fleiss_is_the_weighted_mean_of_its_classes(ratings: list[list[int]]) -> None:
    """Fleiss 1971, equation 15: with the weights p (1 - p)."""
    counts = np.array([[row.count(label) for label in range(3)] for row in ratings])
    share = counts.sum(axis=0) / counts.sum()
    weights = share * (1 - share)
    kappas = fleiss_kappa_by_class(counts)
    if weights.sum() == 0:
        assert math.isnan(fleiss_kappa(counts))
    else:
        assert np.nansum(weights * kappas) / weights.sum() == pytest.approx(fleiss_kappa(counts))


@pytest.mark.parametrize("counts", [[[1, 1], [2, 1]], [[1, 0]], [1, 2]])
def test_fleiss_needs_as_many_annotators_for_each(counts: list[list[int]]) -> None:
    with pytest.raises(ValueError, match="annotators"):
        fleiss_kappa(counts)


@given(st.lists(st.lists(st.integers(0, 2), min_size=4, max_size=4), min_size=1, max_size=12))
def test_item_by_item_is_fleiss_where_all_have_as_many_annotators(ratings: list[list[int]]) -> None:
    raters = Raters()
    for row in ratings:
        raters.add([(str(label),) for label in row])
    counts = np.array([[row.count(label) for label in range(3)] for row in ratings])

    assert raters.kappa() == pytest.approx(fleiss_kappa(counts), nan_ok=True)
    by_class = dict(enumerate(fleiss_kappa_by_class(counts)))
    assert {int(label): kappa for label, kappa in raters.kappa_by_class().items()} == {
        label: pytest.approx(by_class[label], nan_ok=True) for label in range(3) if counts[:, label].any()
    }


def test_annotators_of_different_number_by_hand() -> None:
    """Three say a, a, b of one item, two agree on b of the next one: (1/3 + 1) / 2 against (2/5)² + (3/5)²."""
    raters = Raters()
    raters.add([("a",), ("a",), ("b",)])
    raters.add([("b",), ("b",)])
    raters.add([("c",)])

    assert raters.items == 2
    assert raters.kappa() == pytest.approx((2 / 3 - 0.52) / 0.48)
    assert raters.kappa_by_class() == pytest.approx({"a": 1 - (1 / 6) / 0.24, "b": 1 - (1 / 6) / 0.24})


def test_several_classes_of_an_item_count_one_by_one() -> None:
    raters = Raters()
    raters.add([("a", "b"), ("a",)])
    raters.add([("b",), ("b",)])

    assert raters.kappa_by_class()["a"] == pytest.approx(1)
    assert raters.kappa_by_class()["b"] < 0.5


def box(left: float, label: str = "car") -> Box:
    return Box(label, left, 0, 10, 10)


def test_overlap() -> None:
    one = np.array([[0, 0, 10, 10], [0, 0, 0, 0]], float)
    assert iou_of(one, np.array([[5, 0, 15, 10.0]])) == pytest.approx(np.array([[1 / 3], [0]]))


def test_boxes_are_matched_one_to_one_for_the_largest_overlap() -> None:
    """The greedy choice, 3 with 2, would leave 0 without a partner."""
    first = {"a": [box(0), box(3)], "b": [box(0)], "only here": [box(0)]}
    second = {"a": [box(2), box(6), box(50)], "b": [box(0, "bus")]}

    found = match_boxes(first, second)

    assert (found.both, found.only_first, found.only_second) == (
        {"car": 2},
        {"car": 1},
        {"car": 1, "bus": 1},
    )
    assert found.mean_overlap("car") == pytest.approx((8 / 12 + 7 / 13) / 2)
    assert (found.f1(), found.f1("car"), found.f1("bus")) == pytest.approx((4 / 7, 4 / 6, 0))
    assert math.isnan(found.f1("van"))


def test_by_annotator() -> None:
    marked = {"ann": {"a": [box(0)]}, "ben": {"a": [box(0)]}, "cid": {"a": [box(50)]}}

    assert by_annotator(box_agreement(marked)) == {"ann": 0.5, "ben": 0.5, "cid": 0.0}
