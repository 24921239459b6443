import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from cv_pipelines.motion.published.composition import IDENTITY, about, apply, compose, compose_windows

similarity = st.tuples(st.floats(0.5, 2), st.floats(-3, 3), st.floats(-2000, 2000), st.floats(-2000, 2000)).map(
    np.array
)
point = st.tuples(st.floats(-1000, 1000), st.floats(-1000, 1000)).map(np.array)


def close(one: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    return bool(np.allclose(one, other, rtol=1e-9, atol=1e-6))


@given(similarity, similarity, similarity)
def test_it_does_not_matter_which_two_of_three_are_joined_first(
    a: NDArray[np.float64], b: NDArray[np.float64], c: NDArray[np.float64]
) -> None:
    assert close(compose(compose(a, b), c), compose(a, compose(b, c)))


@given(similarity)
def test_the_identity_changes_nothing(a: NDArray[np.float64]) -> None:
    assert close(compose(a, IDENTITY), a)
    assert close(compose(IDENTITY, a), a)


@given(similarity, similarity, point)
def test_composing_is_applying_one_after_the_other(
    a: NDArray[np.float64], b: NDArray[np.float64], p: NDArray[np.float64]
) -> None:
    assert close(apply(compose(a, b), p), apply(b, apply(a, p)))


@given(similarity, point, point)
def test_about_another_point_the_same_points_go_to_the_same_places(
    a: NDArray[np.float64], p: NDArray[np.float64], shift: NDArray[np.float64]
) -> None:
    there = about(a, shift)
    assert close(apply(there, p - shift) + shift, apply(a, p))


def test_a_turn_goes_from_x_to_y() -> None:
    assert close(apply(np.array([2.0, np.pi / 2, 1.0, 0.0]), np.array([1.0, 0.0])), np.array([1.0, 2.0]))


def test_ten_shifts_add_up_and_ten_zooms_multiply() -> None:
    shifts = np.tile([1.0, 0.0, 3.5, -1.25], (30, 1))
    assert close(compose_windows(shifts, np.array([0, 5, 20]), 10), np.tile([1.0, 0.0, 35.0, -12.5], (3, 1)))
    zooms = np.tile([1.01, 0.02, 0.0, 0.0], (10, 1))
    assert close(compose_windows(zooms, np.array([0]), 10), np.array([[1.01**10, 0.2, 0.0, 0.0]]))
    assert close(compose_windows(shifts, np.array([3]), 0), IDENTITY[None])


@given(st.lists(similarity, min_size=1, max_size=12))
def test_a_window_is_its_steps_one_after_the_other(steps: list[NDArray[np.float64]]) -> None:
    total = IDENTITY
    for step in steps:
        total = compose(total, step)
    window = compose_windows(np.array(steps), np.array([0]), len(steps))[0]
    assert np.allclose(window, total, rtol=1e-9, atol=1e-6)
