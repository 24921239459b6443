from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cv_pipelines.active_learning.parameters import QueueParameters
from cv_pipelines.active_learning.pool import Pool, Predictions, draw_lots
from cv_pipelines.active_learning.selection import Limits, parts_of, select

NAMES = ("random", "entropy", "margin", "close_to_threshold", "diverse")


def make_pool(count: int, seed: int = 0, classes: int = 3) -> Pool:
    random = np.random.default_rng(seed)
    shares = np.sort(random.dirichlet(np.ones(classes), count), axis=1).astype(np.float32)
    seen = Predictions(
        np.array([f"class {number}" for number in random.integers(0, classes, count)], np.object_),
        shares[:, -1],
        shares[:, -2],
        random.random(count).astype(np.float32),
    )
    ids = [f"{number:04}" for number in range(count)]
    vectors = random.standard_normal((count, 4)).astype(np.float32)
    vectors /= np.linalg.norm(vectors.astype(np.float32), axis=1, keepdims=True).astype(np.float32)
    return Pool(ids, draw_lots(ids, seed), seen, vectors)


@given(
    st.integers(0, 60),
    st.integers(1, 40),
    st.dictionaries(st.sampled_from(NAMES), st.floats(0.01, 10), min_size=1),
    st.integers(0, 9),
    st.integers(0, 30),
    st.integers(0, 5),
)
def test_a_queue_of_any_mix_keeps_its_limits(
    count: int, size: int, shares: dict[str, float], per_class: int, left: int, seed: int
) -> None:
    pool = make_pool(count, seed)
    asked = np.random.default_rng(seed).random(count) < 0.3
    parameters = QueueParameters(strategies=shares, size=size, seed=seed)
    limits = Limits(left, asked, per_class or None)
    picks = select(pool, parameters, limits)

    rows = [one.row for one in picks]
    assert len(rows) <= size
    assert len(set(rows)) == len(rows), "nothing is asked for twice"
    assert sum(not asked[row] for row in rows) <= left
    assert pool.predictions is not None
    classes = Counter(pool.predictions.classes[row] for row in rows)
    assert not per_class or all(number <= per_class for number in classes.values())
    again = select(pool, parameters, Limits(left, asked, per_class or None))
    assert again == picks, "the same seed gives the same queue"


@given(st.dictionaries(st.text(min_size=1), st.floats(0.001, 1000), min_size=1, max_size=8), st.integers(1, 1000))
def test_parts_add_up_and_are_near_their_shares(shares: dict[str, float], size: int) -> None:
    parts, total = parts_of(shares, size), sum(shares.values())
    assert sum(parts.values()) == size
    assert all(abs(parts[name] - share / total * size) < 1 for name, share in shares.items())


def test_strategies_take_turns_so_that_the_first_images_are_a_mix_as_well() -> None:
    picks = select(make_pool(100), QueueParameters(strategies={"margin": 2, "random": 1}, size=30), Limits())
    assert Counter(one.strategy for one in picks) == {"margin": 20, "random": 10}
    for start in range(0, 30, 6):
        assert Counter(one.strategy for one in picks[start : start + 6]) == {"margin": 4, "random": 2}


def test_what_a_strategy_does_not_find_is_left_to_the_next_one() -> None:
    settings = {"strategies": {"classes_based": 1, "random": 1}, "size": 20, "classes": ["class 9"]}
    picks = select(make_pool(50), QueueParameters.model_validate(settings), Limits())
    assert Counter(one.strategy for one in picks) == {"random": 20}
    alone = {**settings, "strategies": {"classes_based": 1}}
    assert select(make_pool(50), QueueParameters.model_validate(alone), Limits()) == []


def test_what_was_asked_for_today_does_not_count_again() -> None:
    pool, parameters = make_pool(20), QueueParameters(strategies={"entropy": 1}, size=10)
    first = select(pool, parameters, Limits(5, np.zeros(20, np.bool_)))
    assert len(first) == 5
    asked = np.zeros(20, np.bool_)
    asked[[one.row for one in first]] = True
    assert [one.row for one in select(pool, parameters, Limits(0, asked))] == [one.row for one in first]
    assert len(select(pool, parameters, Limits(2, asked))) == 7


def test_each_pick_has_a_reason_that_people_understand() -> None:
    pool = make_pool(30)
    shares = dict.fromkeys(NAMES, 1.0)
    for one in select(pool, QueueParameters(strategies=shares, size=20, within=0.5), Limits()):
        assert {
            "random": "drawn by lot (seed 0)",
            "entropy": "nats over all classes",
            "margin": "ahead of the next class",
            "close_to_threshold": "near 0.50",
            "diverse": "away from what is labelled or asked for",
        }[one.strategy] in one.reason
