"""What counts as an opinion, when people agree, and what settles it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cv_pipelines.annotations.annotation import Annotation, Box
from cv_pipelines.annotations.opinions import Opinions, Statement, agree, in_short, opinions_of

CAT, DOG, NOTHING = Annotation("", classes=("cat",)), Annotation("", classes=("dog",)), Annotation("")


def car(left: float, label: str = "car", width: float = 10) -> Box:
    return Box(label, left, 0, width, 10)


def marked(*boxes: Box) -> Annotation:
    return Annotation("", boxes=boxes)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (CAT, CAT, True),
        (CAT, DOG, False),
        (CAT, NOTHING, False),
        (NOTHING, NOTHING, True),
        (Annotation("", classes=("cat", "dog")), Annotation("", classes=("dog", "cat")), True),
        (marked(car(0), car(50)), marked(car(51), car(1)), True),
        (marked(car(0)), marked(car(0), car(0)), False),
        (marked(car(0)), marked(car(0, "bus")), False),
        (marked(car(0)), marked(car(4)), False),
        (marked(car(0, width=0)), marked(car(0, width=0)), True),
        (marked(car(0)), Annotation("", classes=("cat",), boxes=(car(0),)), False),
    ],
)
def test_people_agree_who_give_equal_classes_and_boxes_that_overlap(
    one: Annotation, other: Annotation, same: bool
) -> None:
    assert agree(one, other) is same
    assert agree(other, one) is same


def test_the_newest_word_of_each_person_counts() -> None:
    said = opinions_of("a", 3, [Statement("ann", CAT), Statement("bob", CAT), Statement("ann", DOG)])

    assert said.open == said.said == {"ann": DOG, "bob": CAT}
    assert (said.several, said.in_dispute) == (True, True)


def test_who_takes_a_label_away_has_no_opinion() -> None:
    said = opinions_of("a", 3, [Statement("ann", CAT), Statement("bob", DOG), Statement("bob", None)])

    assert said.open == {"ann": CAT}
    assert (said.several, said.in_dispute) == (False, False)


def test_a_verdict_settles_what_was_said_before_and_what_is_said_after_opens_it_again() -> None:
    before = [Statement("ann", CAT), Statement("bob", DOG)]
    verdict = Statement("cid", DOG, adjudicates=True)

    settled = opinions_of("a", 3, [*before, verdict])
    assert (settled.open, settled.in_dispute, settled.several) == ({"cid": DOG}, False, True)
    assert settled.said == {"ann": CAT, "bob": DOG}, "they did disagree, and a verdict is no independent label"

    assert not opinions_of("a", 4, [*before, verdict, Statement("ann", DOG)]).in_dispute
    assert opinions_of("a", 4, [*before, verdict, Statement("ann", CAT)]).in_dispute
    assert not opinions_of("a", 4, [*before, Statement("cid", None, adjudicates=True)]).in_dispute


def test_in_short() -> None:
    assert (
        in_short(Annotation("", classes=("cat",), boxes=(car(0), car(9), car(0, "bus"))))
        == "cat, 2 × car, 1 × bus"
    )
    assert in_short(NOTHING) == "nothing in it"


LABELS = st.one_of(
    st.none(),
    st.builds(
        lambda classes, boxes: Annotation("", classes=tuple(classes), boxes=tuple(car(x) for x in boxes)),
        st.lists(st.sampled_from(["cat", "dog"]), max_size=2, unique=True),
        st.lists(st.integers(0, 9), max_size=3),
    ),
)
STATEMENTS = st.lists(
    st.builds(Statement, st.sampled_from(["ann", "bob", "cid"]), LABELS, st.booleans()), max_size=9
)


@given(STATEMENTS, LABELS)
def test_what_was_just_settled_is_not_in_dispute(said: list[Statement], verdict: Annotation | None) -> None:
    assert not opinions_of("a", 1, [*said, Statement("dan", verdict, adjudicates=True)]).in_dispute


@given(st.lists(st.sampled_from(["ann", "bob", "cid"])), LABELS)
def test_who_says_the_same_is_in_no_dispute(people: list[str], label: Annotation | None) -> None:
    assert not opinions_of("a", 1, [Statement(who, label) for who in people]).in_dispute


@given(st.permutations(["ann", "bob", "cid"]), st.data())
def test_the_order_of_different_people_does_not_matter(people: list[str], data: st.DataObject) -> None:
    said = {who: data.draw(st.lists(LABELS, max_size=3), who) for who in ("ann", "bob", "cid")}

    def after(order: list[str]) -> Opinions:
        return opinions_of("a", 1, [Statement(who, one) for who in order for one in said[who]])

    assert after(people) == after(["ann", "bob", "cid"])
    assert after(people).in_dispute == after(["ann", "bob", "cid"]).in_dispute
