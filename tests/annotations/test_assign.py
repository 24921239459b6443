from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from cv_pipelines.annotations.splits import SPLITS, Candidate, SplitParameters, assign

SHARES = SplitParameters().shares()
T = TypeVar("T")


@dataclass(frozen=True)
class Case:
    """What one assignment is asked."""

    candidates: list[Candidate]
    standing: dict[str, str]
    neighbours: dict[str, list[str]]
    seed: int

    def solve(self) -> tuple[dict[str, str], dict[str, str]]:
        return assign(self.candidates, self.standing, self.neighbours, SHARES, self.seed)


def both_ways(pairs: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for one, other in pairs:
        found[one].append(other)
        found[other].append(one)
    return dict(found)


@st.composite
def cases(draw: st.DrawFn, wishes: bool = True) -> Case:
    """Labelled images, some of which have been assigned before or show the same as others."""
    everyone = [f"image {number}" for number in range(draw(st.integers(0, 40)))]
    wish = st.sampled_from([None, None, None, *SPLITS]) if wishes else st.none()
    candidates = [
        Candidate(one, draw(st.sampled_from(["cat", "dog"])), draw(wish))
        for one in everyone
        if draw(st.booleans())
    ]
    standing = {one: draw(st.sampled_from(SPLITS)) for one in everyone if draw(st.integers(0, 3)) == 0}
    pairs = st.tuples(st.sampled_from(everyone), st.sampled_from(everyone)).filter(lambda pair: pair[0] != pair[1])
    linked = draw(st.lists(pairs, max_size=12)) if len(everyone) > 1 else []
    return Case(candidates, standing, both_ways(linked), draw(st.integers(0, 3)))


@given(cases())
def test_an_image_once_assigned_never_moves(case: Case) -> None:
    assigned, left_out = case.solve()

    assert {one: assigned[one] for one in case.standing} == case.standing
    assert not left_out.keys() & case.standing.keys()


@given(cases())
def test_every_labelled_image_is_assigned_or_left_out_and_nobody_else(case: Case) -> None:
    assigned, left_out = case.solve()

    asked = {one.image_id for one in case.candidates}
    assert not assigned.keys() & left_out.keys()
    assert assigned.keys() | left_out.keys() == asked | case.standing.keys()
    assert set(assigned.values()) <= set(SPLITS)


@given(cases(), st.data())
def test_relabelling_moves_nobody(case: Case, data: st.DataObject) -> None:
    assigned, _ = case.solve()
    labels = st.sampled_from(["cat", "dog", "wolf"])
    relabelled = [replace(one, label=data.draw(labels)) for one in case.candidates]

    again, _ = replace(case, candidates=relabelled, standing=assigned).solve()

    assert {one: again[one] for one in assigned} == assigned


@given(cases(), st.randoms(use_true_random=False))
def test_the_order_in_which_things_are_listed_does_not_matter(case: Case, random: Random) -> None:
    def shuffled(values: Sequence[T]) -> list[T]:
        values = list(values)
        random.shuffle(values)
        return values

    other = Case(
        shuffled(case.candidates),
        dict(shuffled(list(case.standing.items()))),
        {one: shuffled(case.neighbours[one]) for one in shuffled(list(case.neighbours))},
        case.seed,
    )

    assert other.solve() == case.solve() == case.solve()


@given(cases())
def test_near_duplicates_are_never_in_two_splits_unless_both_stood_there(case: Case) -> None:
    assigned, _ = case.solve()

    for one, others in case.neighbours.items():
        for other in others:
            if one in assigned and other in assigned and not {one, other} <= case.standing.keys():
                assert assigned[one] == assigned[other]


@given(cases())
def test_only_images_linked_to_two_splits_are_left_out_and_the_reason_names_them(case: Case) -> None:
    assigned, left_out = case.solve()

    for image, reason in left_out.items():
        linked = sorted({assigned[other] for other in case.neighbours[image] if other in assigned})
        assert len(linked) > 1
        assert any(f"{a} and {b}" in reason for a in linked for b in linked if a < b)


@given(cases())
def test_an_image_without_links_goes_where_its_source_wants_it(case: Case) -> None:
    assigned, _ = case.solve()

    for one in case.candidates:
        if one.wanted and one.image_id not in case.neighbours and one.image_id not in case.standing:
            assert assigned[one.image_id] == one.wanted


def shares_of(counts: Mapping[str, int], shares: Mapping[str, float]) -> dict[str, float]:
    return {name: abs(counts.get(name, 0) - share * sum(counts.values())) for name, share in shares.items()}


@given(
    st.dictionaries(st.sampled_from(["cat", "dog", "wolf"]), st.integers(1, 90), min_size=1),
    st.floats(0.01, 0.49),
    st.floats(0.01, 0.49),
    st.integers(0, 9),
)
def test_each_class_is_shared_out_to_within_one_image(
    sizes: dict[str, int], validation: float, test: float, seed: int
) -> None:
    shares = SplitParameters(validation=validation, test=test).shares()
    candidates = [Candidate(f"{label} {n}", label, None) for label, size in sizes.items() for n in range(size)]

    assigned, left_out = assign(candidates, {}, {}, shares, seed)

    assert left_out == {}
    for label, size in sizes.items():
        counts = Counter(assigned[one.image_id] for one in candidates if one.label == label)
        assert sum(counts.values()) == size
        assert max(shares_of(counts, shares).values()) < 1 + 1e-9


@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 9))
def test_images_that_come_later_fill_what_is_emptiest(before: int, later: int, seed: int) -> None:
    first = [Candidate(f"old {number}", "cat", None) for number in range(before)]
    more = first + [Candidate(f"new {number}", "cat", None) for number in range(later)]
    standing, _ = assign(first, {}, {}, SHARES, seed)

    assigned, _ = assign(more, standing, {}, SHARES, seed)

    assert max(shares_of(Counter(assigned.values()), SHARES).values()) < 1 + 1e-9


def test_what_stood_before_counts_towards_the_shares() -> None:
    old = {f"old {number}": "train" for number in range(10)}
    candidates = [Candidate(one, "cat", None) for one in [*old, "a", "b", "c"]]

    assigned, _ = assign(candidates, old, {}, SHARES, seed=0)

    assert sorted(assigned[one] for one in "abc") == ["test", "test", "validation"]


def test_images_that_are_gone_do_not_count_towards_the_shares() -> None:
    gone = {f"gone {number}": "train" for number in range(10)}

    assigned, _ = assign([Candidate("a", "cat", None)], gone, {}, SHARES, seed=0)

    assert assigned == {**gone, "a": "train"}


def test_a_new_image_joins_its_near_duplicate_even_when_that_one_is_gone() -> None:
    assigned, _ = assign([Candidate("new", "cat", "train")], {"gone": "test"}, {"new": ["gone"]}, SHARES, 0)

    assert assigned["new"] == "test"


def test_an_image_that_shows_the_same_as_two_splits_is_left_out_with_the_reason() -> None:
    standing = {"a": "train", "b": "test"}

    assigned, left_out = assign([Candidate("new", "cat", None)], standing, {"new": ["a", "b"]}, SHARES, 0)

    assert assigned == standing
    assert left_out == {"new": "shows the same as images in test and train"}


def test_the_seed_changes_who_goes_where_and_not_how_many() -> None:
    candidates = [Candidate(f"{number}", "cat", None) for number in range(60)]
    solutions = [assign(candidates, {}, {}, SHARES, seed)[0] for seed in range(3)]

    assert solutions[0] != solutions[1] != solutions[2]
    assert Counter(solutions[0].values()) == Counter(solutions[1].values())


@pytest.mark.parametrize(
    ("given_splits", "expected"),
    [
        ((), {"train": 0.7, "test": 0.15, "validation": 0.15}),
        (("train",), {"train": 0.7, "test": 0.15, "validation": 0.15}),
        (("train", "validation"), {"train": 0.7, "validation": 0.15}),
        (("train", "test"), {"train": 0.7, "validation": 0.15}),
        (("train", "validation", "test"), {"train": 1.0}),
        (("validation", "test"), {"train": 1.0}),
    ],
)
def test_a_split_that_the_source_holds_out_is_not_added_to(
    given_splits: tuple[str, ...], expected: dict[str, float]
) -> None:
    assert SplitParameters().shares(given_splits) == pytest.approx(expected)


@pytest.mark.parametrize("wrong", [{"validation": 0}, {"test": 0.5}, {"test": -0.1}, {"sead": 1}])
def test_parameters_that_leave_a_split_empty_or_are_misspelt_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        SplitParameters(**wrong)
