from dataclasses import replace

import numpy as np
import pytest

from cv_pipelines.active_learning import strategies
from cv_pipelines.active_learning.parameters import STRATEGIES, QueueParameters
from cv_pipelines.active_learning.pool import Pool, Predictions, draw_lots
from cv_pipelines.active_learning.strategies import SCORED, in_order
from cv_pipelines.errors import InputError
from cv_pipelines.models.embedding import normalised

SURE = np.array([0.9, 0.55, 0.41, 0.62, 0.5], np.float32)
SEEN = Predictions(
    np.array(["bar", "disc", "disc", "bar", "frame"], np.object_),
    SURE,
    np.array([0.05, 0.44, 0.29, 0.2, 0.49], np.float32),
    np.array([0.2, 0.7, 1.05, 0.9, 0.75], np.float32),
)
POOL = Pool([*"abcde"], np.array([0.5, 0.4, 0.3, 0.2, 0.1]), SEEN, detections=np.array([0, 3, 7, 1, 3]))


def asked(name: str, pool: Pool = POOL, **settings: object) -> list[int]:
    """Rows in the order in which a strategy asks for them."""
    eligible, rows = np.ones(len(pool.image_ids), np.bool_), []
    for row, _ in in_order(name, pool, QueueParameters(**settings), eligible):
        eligible[row] = False
        rows.append(row)
    return rows


def test_there_is_one_for_each_name() -> None:
    assert {*SCORED, "diverse"} == set(STRATEGIES)


def test_entropy_asks_for_what_is_spread_most() -> None:
    assert asked("entropy") == [2, 3, 4, 1, 0]


def test_margin_asks_for_what_two_classes_are_close_in() -> None:
    assert asked("margin") == [4, 1, 2, 3, 0]
    old = replace(POOL, predictions=replace(SEEN, second=None))
    with pytest.raises(InputError, match="earlier release"):
        asked("margin", old)


def test_close_to_threshold_asks_for_what_is_near_it_and_for_nothing_else() -> None:
    assert asked("close_to_threshold", threshold=0.5, within=0.1) == [4, 1, 2]
    assert asked("close_to_threshold", threshold=0.6, within=0.06) == [3, 1]
    assert asked("close_to_threshold", threshold=0.5, within=0.2, classes=["bar"]) == [3]


def test_classes_based_asks_for_predicted_classes_by_lot() -> None:
    assert asked("classes_based", classes=["bar", "disc"]) == [3, 2, 1, 0]
    with pytest.raises(InputError, match="which classes"):
        asked("classes_based")


def test_detections_number_based_asks_for_images_with_so_many_objects() -> None:
    assert asked("detections_number_based", fewest=3) == [4, 2, 1]
    assert asked("detections_number_based", fewest=1, most=3) == [4, 3, 1]
    with pytest.raises(InputError, match="detections import"):
        asked("detections_number_based", replace(POOL, detections=None))


def test_random_asks_by_lot_and_the_same_seed_draws_the_same() -> None:
    assert asked("random") == [0, 1, 2, 3, 4]
    ids = [f"{number}" for number in range(200)]
    lots = draw_lots(ids, 1)
    np.testing.assert_array_equal(draw_lots(ids[50:], 1), lots[50:])
    assert np.argsort(draw_lots(ids, 2)).tolist() != np.argsort(lots).tolist()
    assert 0 <= lots.min() < 0.1 < 0.9 < lots.max() < 1


def test_equal_scores_are_decided_by_lot() -> None:
    even = replace(SEEN, entropy=np.ones(5, np.float32))
    assert asked("entropy", replace(POOL, predictions=even)) == [4, 3, 2, 1, 0]


def test_diverse_keeps_away_from_what_is_labelled_and_from_what_others_ask_for() -> None:
    angles = np.deg2rad([0, 45, 90, 180, 270])
    vectors = normalised(np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32))
    pool = Pool([*"abcde"], POOL.lots, vectors=vectors, labelled=vectors[:1])
    assert asked("diverse", pool)[0] == 3, "opposite to what is labelled"
    eligible = np.array([True, True, True, False, True])
    first, _ = next(in_order("diverse", pool, QueueParameters(), eligible, [3]))
    assert first in (2, 4)
    assert next(in_order("diverse", replace(pool, labelled=vectors[:0]), QueueParameters(), eligible, [4]))[0] == 2


def test_diverse_compares_no_more_than_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strategies, "MOST_COMPARED", 3)
    vectors = np.eye(5, dtype=np.float32)
    assert set(asked("diverse", Pool([*"abcde"], POOL.lots, vectors=vectors))) == {2, 3, 4}, (
        "those with small lots"
    )


@pytest.mark.parametrize("name", ["entropy", "margin", "close_to_threshold", "classes_based", "diverse"])
def test_without_what_it_needs_a_strategy_says_so(name: str) -> None:
    with pytest.raises(InputError, match="run the data set"):
        asked(name, Pool([*"abcde"], POOL.lots), classes=["bar"])


@pytest.mark.parametrize(
    ("given", "why"),
    [({}, "at least one"), ({"entropie": 1}, "no strategy 'entropie'"), ({"margin": 0}, "above 0")],
)
def test_parameters_name_strategies_that_there_are(given: dict[str, float], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        QueueParameters(strategies=given)
