from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cv_pipelines.models.gate import MIN_SLICE, Comparison, compare, first_model
from cv_pipelines.models.metrics import slices

Judged = tuple[dict[str, Any], pd.DataFrame]


def judged(right: list[bool], sources: list[str] | None = None, classes: tuple[str, ...] = ("a", "b")) -> Judged:
    """An evaluation of a model on images of class `a` and whether it is right about each."""
    groups = {"source": np.array(sources or ["."] * len(right))}
    facts = {"slices": slices(np.array(right), groups), "model_classes": list(classes)}
    ids = [f"{place:04}" for place in range(len(right))]
    predicted = ["a" if answer else "b" for answer in right]
    return facts, pd.DataFrame({"image_id": ids, "label": "a", "predicted": predicted})


def against(champion: Judged, challenger: Judged) -> Comparison:
    return compare(champion[0], challenger[0], champion[1], challenger[1])


@given(st.lists(st.booleans(), min_size=1, max_size=80))
def test_a_model_that_answers_as_the_champion_does_is_promoted(right: list[bool]) -> None:
    found = against(judged(right), judged(right))
    assert found.decision == "promote"
    assert found.difference == (0.0, 0.0, 0.0)
    assert found.worse_slices == []


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=80))
def test_a_model_that_is_right_wherever_the_champion_is_is_promoted(pairs: list[tuple[bool, bool]]) -> None:
    found = against(judged([old for old, _ in pairs]), judged([old or new for old, new in pairs]))
    assert found.decision == "promote"
    assert found.difference is not None
    assert found.difference[0] >= 0


def test_a_model_that_is_worse_beyond_chance_is_kept_out() -> None:
    sources = [f"camera {place // 10}" for place in range(200)]  # slices too small to count
    found = against(judged([True] * 200, sources), judged([True] * 188 + [False] * 12, sources))
    assert found.decision == "keep"
    assert found.worse_slices == []
    assert found.reasons[0].startswith("It is less accurate by 0.060 (95 %: 0.03")
    assert found.difference is not None
    mean, low, high = found.difference
    assert mean == pytest.approx(-0.06)
    assert low < mean < high < 0


def test_a_model_that_is_worse_within_chance_is_promoted() -> None:
    old, new = [True] * 100, [True] * 100
    old[:3], new[3:8] = [False] * 3, [False] * 5
    found = against(judged(old), judged(new))
    assert found.decision == "promote"
    assert found.difference is not None
    assert found.difference[0] == pytest.approx(-0.02)


def slice_that_loses(images: int, before: int, after: int) -> Comparison:
    """A slice with so many right answers before and after, beside one that makes up for it."""
    sources = ["night"] * images + ["day"] * 100
    old = [place < before for place in range(images)] + [False] * 50 + [True] * 50
    new = [place < after for place in range(images)] + [True] * 100
    return against(judged(old, sources), judged(new, sources))


def test_a_slice_of_twenty_that_loses_a_tenth_of_its_recall_keeps_the_champion() -> None:
    found = slice_that_loses(20, 20, 18)
    assert found.decision == "keep"
    lost = {"division": "source", "part": "night", "images": 20, "before": 1.0, "after": 0.9}
    assert found.worse_slices == [lost]
    assert found.reasons == ["source 'night' falls from 1.000 to 0.900 (20 images)."]


def test_a_slice_of_nineteen_is_not_looked_at() -> None:
    assert MIN_SLICE == 20
    assert slice_that_loses(19, 19, 0).decision == "promote"


@settings(max_examples=30)
@given(st.integers(2, 30), st.data())
def test_a_tenth_is_a_tenth_at_every_height(tens: int, data: st.DataObject) -> None:
    before = data.draw(st.integers(tens, 10 * tens))
    assert slice_that_loses(10 * tens, before, before - tens).decision == "keep"
    assert slice_that_loses(10 * tens, before, before - tens + 1).decision == "promote"


def test_a_person_decides_when_the_class_lists_differ() -> None:
    found = against(judged([False] * 50), judged([True] * 50, classes=("a", "c")))
    assert found.decision == "ask"
    assert found.reasons == ["The class lists differ (b, c): a person decides."]
    assert found.difference == (1.0, 1.0, 1.0)


def test_the_order_of_the_class_list_does_not_matter() -> None:
    assert against(judged([True] * 9), judged([True] * 9, classes=("b", "a"))).decision == "promote"


def test_answers_are_paired_by_image_whatever_their_order() -> None:
    facts, answers = judged([True, False] * 20)
    shuffled = answers.sample(frac=1, random_state=1)
    assert compare(facts, facts, answers, shuffled).difference == (0.0, 0.0, 0.0)


def test_an_image_that_was_judged_twice_is_refused() -> None:
    facts, answers = judged([True] * 4)
    with pytest.raises(pd.errors.MergeError):
        compare(facts, facts, answers, pd.concat([answers, answers[:1]]))


@pytest.mark.parametrize(
    ("accuracy", "majority", "decision"), [(0.51, 0.5, "promote"), (0.5, 0.5, "keep"), (0.2, 0.5, "keep")]
)
def test_the_first_model_must_beat_the_most_frequent_class(
    accuracy: float, majority: float, decision: str
) -> None:
    found = first_model({"accuracy": accuracy, "majority_share": majority})
    assert found.decision == decision
    assert "most frequent class" in found.reasons[0]
