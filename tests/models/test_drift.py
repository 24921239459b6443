import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cv_pipelines.images.statistics import STATISTICS
from cv_pipelines.models.drift import LIMIT, drift, profile, stability_index

counts = st.lists(st.integers(0, 500), min_size=1, max_size=12)


def images(number: int, shift: float = 0.0, seed: int = 0) -> pd.DataFrame:
    """Statistics of some images, each about 0.5 give or take 0.1."""
    random = np.random.default_rng(seed)
    return pd.DataFrame({name: random.normal(0.5 + shift, 0.1, number) for name in STATISTICS})


def test_the_stability_index_by_hand() -> None:
    # half a count more in each bin: shares of 1/4 and 3/4 against 1/2 each
    expected = (1 / 2 - 1 / 4) * np.log(2) + (1 / 2 - 3 / 4) * np.log(2 / 3)
    assert stability_index(np.array([4.5, 14.5]), np.array([9.5, 9.5])) == pytest.approx(expected)


@given(counts)
def test_the_stability_index_of_equal_histograms_is_zero(found: list[int]) -> None:
    assert stability_index(np.array(found, float), np.array(found, float)) == 0


@given(st.data(), st.integers(1, 12))
def test_the_stability_index_is_finite_never_negative_and_symmetric(data: st.DataObject, bins: int) -> None:
    one, other = (
        np.array(data.draw(st.lists(st.integers(0, 500), min_size=bins, max_size=bins)), float) for _ in range(2)
    )
    index = stability_index(one, other)
    assert np.isfinite(index)
    assert index >= 0
    assert index == pytest.approx(stability_index(other, one))


def test_an_empty_bin_against_a_full_one_is_a_finite_and_large_index() -> None:
    assert LIMIT < stability_index(np.array([100.0, 0.0]), np.array([0.0, 100.0])) < 20


def test_the_stability_index_grows_with_the_shift() -> None:
    found = [stability_index(np.array([50.0, 50.0]), np.array([50.0 + by, 50.0 - by])) for by in range(0, 51, 10)]
    assert found == sorted(found)
    assert len(set(found)) == len(found)


def test_a_profile_has_ten_bins_of_equal_count() -> None:
    found = profile(images(1000), ["a", "b"], ["a"] * 600 + ["b"] * 400)
    for name in STATISTICS:
        bins = found["statistics"][name]
        assert len(bins["edges"]) == 9
        assert bins["edges"] == sorted(bins["edges"])
        assert bins["counts"] == [100.0] * 10
    assert found["classes"] == {"a": 600, "b": 400}


def test_a_class_without_training_images_counts_none() -> None:
    assert profile(images(2), ["a", "b"], ["a", "a"])["classes"] == {"a": 2, "b": 0}


@given(st.lists(st.floats(0, 1), min_size=1, max_size=50))
def test_every_image_falls_into_one_bin_of_its_own_profile(values: list[float]) -> None:
    table = pd.DataFrame(dict.fromkeys(STATISTICS, values))
    found = profile(table, ["a"], ["a"] * len(values))
    for bins in found["statistics"].values():
        assert sum(bins["counts"]) == len(values)
        assert len(bins["counts"]) == len(bins["edges"]) + 1
    assert set(drift(found, table, ["a"] * len(values)).values()) == {0.0}


def test_the_training_images_themselves_have_not_drifted() -> None:
    found = drift(profile(images(500), ["a", "b"], ["a", "b"] * 250), images(500), ["b", "a"] * 250)
    assert found == dict.fromkeys([*STATISTICS, "predictions"], 0.0)


def test_other_images_of_the_same_kind_have_not_drifted() -> None:
    found = drift(profile(images(2000), ["a", "b"], ["a", "b"] * 1000), images(1000, seed=1), ["a", "b"] * 500)
    assert max(found.values()) < 0.1


def test_drift_is_found_in_the_statistic_that_has_shifted() -> None:
    today = images(500, seed=1)
    today["brightness"] += 0.1
    found = drift(profile(images(500), ["a", "b"], ["a", "b"] * 250), today, ["a", "b"] * 250)
    assert found["brightness"] > LIMIT
    assert all(found[name] < LIMIT for name in ("contrast", "saturation", "sharpness", "predictions"))


def test_values_that_training_never_saw_fall_into_the_outer_bins() -> None:
    found = drift(profile(images(500), ["a"], ["a"] * 500), images(500, shift=99.0), ["a"] * 500)
    assert found["contrast"] > 1


def test_drift_is_found_in_the_predicted_classes() -> None:
    found = drift(profile(images(500), ["a", "b"], ["a", "b"] * 250), images(500), ["a"] * 450 + ["b"] * 50)
    assert found["predictions"] > LIMIT
    assert found["brightness"] == 0


def test_a_statistic_that_never_varied_shows_any_change() -> None:
    flat = pd.DataFrame(dict.fromkeys(STATISTICS, [0.5] * 100))
    reference = profile(flat, ["a"], ["a"] * 100)
    assert drift(reference, flat, ["a"] * 100)["brightness"] == 0
    assert drift(reference, flat - 0.1, ["a"] * 100)["brightness"] > LIMIT
