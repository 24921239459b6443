import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score, precision_score, recall_score

from cv_pipelines.models.metrics import (
    bootstrap_interval,
    calibration,
    confusion,
    per_class,
    size_thirds,
    slices,
)

TRUTH = np.array([0, 0, 0, 0, 1, 1, 2, 2])
PREDICTED = np.array([0, 0, 1, 0, 1, 0, 1, 0])
CLASSES = ["cat", "dog", "owl"]


def test_the_bootstrap_interval_is_that_of_drawing_with_replacement() -> None:
    values = np.array([1] * 37 + [0] * 20 + [-1] * 5)
    random = np.random.default_rng(7)
    means = [random.choice(values, len(values)).mean() for _ in range(4000)]
    low, high = np.quantile(means, [0.025, 0.975])
    assert bootstrap_interval(values) == pytest.approx((low, high), abs=0.02)


def test_the_bootstrap_interval_shrinks_with_the_root_of_the_number_of_values() -> None:
    low, high = bootstrap_interval(np.array([0, 1] * 50))
    low_more, high_more = bootstrap_interval(np.array([0, 1] * 5000))
    assert (high - low) / (high_more - low_more) == pytest.approx(10, rel=0.05)


def test_the_bootstrap_interval_of_equal_values_is_a_point() -> None:
    assert bootstrap_interval(np.ones(9, np.int64)) == (1.0, 1.0)


@given(st.lists(st.sampled_from([-1, 0, 1]), min_size=1, max_size=300))
def test_the_bootstrap_interval_holds_the_mean_and_is_the_same_each_time(values: list[int]) -> None:
    low, high = bootstrap_interval(np.array(values))
    assert low - 1e-12 <= np.mean(values) <= high + 1e-12
    assert bootstrap_interval(np.array(values[::-1])) == (low, high)


def test_calibration_by_hand() -> None:
    truth = np.array([0, 0, 1, 1])
    probabilities = np.array([[0.92, 0.08], [0.98, 0.02], [0.66, 0.34], [0.36, 0.64]])
    found = calibration(truth, probabilities)
    # 0.92 and 0.98 are both right: off by 0.05; of 0.66 and 0.64 one is right: off by 0.15
    assert found["error"] == pytest.approx((2 * 0.05 + 2 * 0.15) / 4)
    assert [(b["count"], b["accuracy"]) for b in found["bins"]] == [(2, 0.5), (2, 1.0)]
    assert [b["confidence"] for b in found["bins"]] == pytest.approx([0.65, 0.95])


def test_a_probability_of_one_falls_into_the_last_bin() -> None:
    found = calibration(np.array([0, 1]), np.array([[1.0, 0.0], [1.0, 0.0]]))
    assert found == {"error": 0.5, "bins": [{"confidence": 1.0, "accuracy": 0.5, "count": 2}]}


@given(st.lists(st.tuples(st.floats(0.5, 1.0), st.booleans()), min_size=1, max_size=60))
def test_calibration_is_the_weighted_gap_of_ten_bins(answers: list[tuple[float, bool]]) -> None:
    confidence = np.array([value for value, _ in answers])
    truth = np.array([0 if right else 2 for _, right in answers])
    found = calibration(truth, np.stack([confidence, 1 - confidence, np.zeros(len(answers))], axis=1))
    gaps: dict[int, float] = {}
    for value, right in answers:
        place = min(int(value * 10), 9)
        gaps[place] = gaps.get(place, 0.0) + value - right
    assert found["error"] == pytest.approx(sum(map(abs, gaps.values())) / len(answers))
    assert sum(b["count"] for b in found["bins"]) == len(answers)


def test_precision_and_recall_of_each_class_by_hand() -> None:
    found = per_class(TRUTH, PREDICTED, CLASSES)
    assert found["cat"] == pytest.approx({"precision": 0.6, "recall": 0.75, "f1": 2 / 3, "images": 4})
    assert found["dog"] == pytest.approx({"precision": 1 / 3, "recall": 0.5, "f1": 0.4, "images": 2})


def test_a_class_that_is_never_predicted_has_zeros_rather_than_a_warning() -> None:
    assert per_class(TRUTH, PREDICTED, CLASSES)["owl"] == {"precision": 0, "recall": 0, "f1": 0, "images": 2}


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=40))
def test_figures_of_classes_are_those_of_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    truth, predicted = np.array(pairs).T
    found = per_class(truth, predicted, list("abcd"))
    for name, score in (("precision", precision_score), ("recall", recall_score), ("f1", f1_score)):
        expected = score(truth, predicted, labels=range(4), average=None, zero_division=0)
        assert [row[name] for row in found.values()] == pytest.approx(list(expected))


def test_the_confusion_matrix_has_the_truth_in_rows() -> None:
    assert confusion(TRUTH, PREDICTED, CLASSES) == [[3, 1, 0], [1, 1, 0], [1, 1, 0]]


def test_a_class_without_images_keeps_its_row() -> None:
    assert confusion(np.array([1]), np.array([0]), CLASSES) == [[0, 0, 0], [1, 0, 0], [0, 0, 0]]


def test_slices_count_images_and_the_share_of_right_answers() -> None:
    correct = np.array([True, False, True, True])
    groups = {"class": np.array(["a", "a", "b", "b"]), "source": np.array(["x", "y", "y", "y"])}
    assert slices(correct, groups) == {
        "class": {"a": {"images": 2, "recall": 0.5}, "b": {"images": 2, "recall": 1.0}},
        "source": {"x": {"images": 1, "recall": 1.0}, "y": {"images": 3, "recall": 2 / 3}},
    }


def test_size_thirds_by_hand() -> None:
    widths, heights = np.array([30, 1, 2, 20, 9, 3]), np.array([30, 1, 1, 20, 9, 3])
    assert size_thirds(widths, heights).tolist() == ["large", "small", "small", "large", "medium", "medium"]


def test_images_of_one_size_are_all_in_one_third() -> None:
    assert size_thirds(np.full(5, 8), np.full(5, 8)).tolist() == ["small"] * 5


def test_areas_beyond_32_bits_are_large() -> None:
    sides = np.array([10, 20, 60_000], np.int32)
    assert size_thirds(sides, sides).tolist() == ["small", "medium", "large"]


@given(st.lists(st.integers(1, 10_000), min_size=1, max_size=60))
def test_an_image_is_never_in_a_larger_third_than_a_larger_one(areas: list[int]) -> None:
    thirds = size_thirds(np.array(areas), np.ones(len(areas), np.int64))
    ranks = [("small", "medium", "large").index(third) for _, third in sorted(zip(areas, thirds, strict=True))]
    assert ranks == sorted(ranks)
    assert len({(area, str(third)) for area, third in zip(areas, thirds, strict=True)}) == len(set(areas))


@given(st.sets(st.integers(1, 10_000), min_size=3, max_size=60))
def test_distinct_sizes_are_shared_out_evenly(areas: set[int]) -> None:
    thirds = size_thirds(np.array(sorted(areas)), np.ones(len(areas), np.int64)).tolist()
    counts = [thirds.count(name) for name in ("small", "medium", "large")]
    assert max(counts) - min(counts) <= 1
