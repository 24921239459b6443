import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cv_pipelines.active_learning import core_set
from cv_pipelines.active_learning.core_set import FARTHEST, farthest_first
from cv_pipelines.models.embedding import normalised


def unit(vectors: np.ndarray) -> np.ndarray:
    return normalised(vectors.astype(np.float32))


def taken(
    vectors: np.ndarray, centres: np.ndarray, most: int, lots: np.ndarray | None = None
) -> list[tuple[int, float]]:
    eligible = np.ones(len(vectors), np.bool_)
    found: list[tuple[int, float]] = []
    for row, distance in farthest_first(
        vectors, centres, eligible, np.arange(float(len(vectors))) if lots is None else lots
    ):
        if len(found) == most:
            break
        eligible[row] = False
        found.append((row, distance))
    return found


CIRCLE = unit(np.array([[np.cos(a), np.sin(a)] for a in np.deg2rad([0, 10, 90, 100, 180, 270])]))


def test_each_is_the_farthest_from_all_that_were_taken_before() -> None:
    found = taken(CIRCLE, CIRCLE[:1], 4)
    assert [row for row, _ in found] == [4, 2, 5, 1] or [row for row, _ in found] == [4, 5, 2, 1]
    assert found[0][1] == pytest.approx(2.0, abs=1e-3)
    assert [distance for _, distance in found] == sorted((d for _, d in found), reverse=True)


def test_without_centres_the_smallest_lot_begins() -> None:
    lots = np.array([0.9, 0.8, 0.1, 0.7, 0.6, 0.5])
    found = taken(CIRCLE, CIRCLE[:0], 2, lots)
    assert found[0] == (2, FARTHEST)
    assert found[1][0] == 5, "opposite to it"


def test_equal_distances_are_decided_by_lot() -> None:
    same = unit(np.tile([[1.0, 0.0]], (5, 1)))
    lots = np.array([0.5, 0.2, 0.4, 0.1, 0.3])
    assert [row for row, _ in taken(same, same[:1], 5, lots)] == [3, 1, 4, 2, 0]


def test_what_is_not_eligible_is_never_taken_and_nobody_waits_for_more() -> None:
    eligible = np.array([False, True, False, True, False, False])
    found = []
    for row, _ in farthest_first(CIRCLE, CIRCLE[:1], eligible, np.arange(6.0)):
        eligible[row] = False
        found.append(row)
    assert found == [3, 1]


def test_of_many_centres_some_are_taken_evenly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(core_set, "MOST_CENTRES", 3)
    np.testing.assert_array_equal(core_set._some(np.arange(10, dtype=np.float32)[:, None])[:, 0], [0, 3, 6])
    np.testing.assert_array_equal(core_set._some(np.arange(2, dtype=np.float32)[:, None])[:, 0], [0, 1])


@given(st.integers(2, 30), st.integers(0, 5), st.integers(0, 2**32 - 1))
def test_it_covers_as_the_textbook_says(count: int, centres: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    vectors, known = unit(random.standard_normal((count, 4))), unit(random.standard_normal((centres, 4)))
    found = taken(vectors, known, 5)

    exact, held = vectors.astype(np.float64), [*known.astype(np.float64)]
    for row, distance in found:
        nearest = 1 - np.max(exact @ np.array(held).T, axis=1) if held else np.full(count, FARTHEST)
        assert distance == pytest.approx(nearest[row], abs=2e-3)
        open_rows = [
            one for one in range(count) if one not in {r for r, _ in found[: found.index((row, distance))]}
        ]
        assert nearest[row] == pytest.approx(nearest[open_rows].max(), abs=2e-3)
        held.append(exact[row])
