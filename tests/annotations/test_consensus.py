"""Figures of agreement, from images with any number of people."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cv_pipelines.annotations.agreement import cohens_kappa
from cv_pipelines.annotations.annotation import Annotation, Box
from cv_pipelines.annotations.consensus import KEPT, consensus_of
from cv_pipelines.annotations.opinions import Opinions, Statement, opinions_of

PEOPLE = ("ann", "bob", "cid")


def classed(*labels: str) -> Annotation:
    return Annotation("", classes=labels)


def marked(*lefts: float, label: str = "car") -> Annotation:
    return Annotation("", boxes=tuple(Box(label, left, 0, 10, 10) for left in lefts))


def of(image: str, **said: Annotation) -> Opinions:
    return opinions_of(image, len(said), [Statement(who, one) for who, one in said.items()])


def test_two_people_by_hand() -> None:
    """Both say yes 20 times and no 15 times, one alone 5 and 10 times: kappa is 0.4, as Cohen's example has it."""
    pairs = [("yes", "yes")] * 20 + [("no", "no")] * 15 + [("yes", "no")] * 5 + [("no", "yes")] * 10
    found = consensus_of(of(f"{n}", ann=classed(one), bob=classed(two)) for n, (one, two) in enumerate(pairs))

    (pair,) = found.pairs()
    assert pair == {
        "first": "ann",
        "second": "bob",
        "images": 50,
        "agree_on": 35,
        "kappa": pytest.approx(cohens_kappa(*zip(*pairs, strict=True))),
        "boxes_f1": None,
        "mean_iou": None,
    }
    assert (found.images, found.disputed, found.share) == (50, 15, 0.3)
    assert [one["agreement"] for one in found.annotators()] == [0.7, 0.7]


def test_boxes_by_pair_person_and_class() -> None:
    found = consensus_of(
        [
            of("a", ann=marked(0, 50), bob=marked(1)),
            of("b", ann=marked(0), cid=marked(0)),
            of("c", ann=marked(0)),
            of("d", bob=marked(label="bus"), cid=marked(7, label="bus")),
        ]
    )

    assert [(one["first"], one["second"], one["boxes_f1"]) for one in found.pairs()] == [
        ("ann", "bob", pytest.approx(2 / 3)),
        ("ann", "cid", 1.0),
        ("bob", "cid", 0.0),
    ]
    assert {one["who"]: (one["compared"], one["agreement"], one["boxes_f1"]) for one in found.annotators()} == {
        "ann": (2, 0.5, pytest.approx(5 / 6)),
        "bob": (2, 0.0, pytest.approx(1 / 3)),
        "cid": (2, 0.5, 0.5),
    }
    bus, car = found.classes()
    assert (bus["class"], bus["boxes_f1"], bus["mean_iou"], bus["kappa"]) == ("bus", 0.0, None, None)
    assert (car["class"], car["boxes_f1"]) == ("car", pytest.approx(4 / 5))
    assert car["mean_iou"] == pytest.approx((9 / 11 + 1) / 2)
    assert (found.images, found.disputed, found.kappa()) == (3, 2, None)


def test_a_settled_disagreement_is_measured_but_no_longer_in_dispute() -> None:
    said = [Statement("ann", classed("cat")), Statement("bob", classed("dog"))]
    settled = opinions_of("a", 3, [*said, Statement("cid", classed("dog"), adjudicates=True)])

    found = consensus_of([settled, of("b", ann=classed("cat"), bob=classed("cat"))])

    assert (found.images, found.disputed, found.disputes) == (2, 0, [])
    assert [(one["first"], one["second"], one["agree_on"]) for one in found.pairs()] == [("ann", "bob", 1)]


def test_all_disputes_are_counted_and_the_first_are_kept() -> None:
    found = consensus_of(of(f"{n}", ann=classed("cat"), bob=classed("dog")) for n in range(KEPT + 5))

    assert (found.disputed, len(found.disputes)) == (KEPT + 5, KEPT)


def test_without_people_there_is_nothing_to_tell() -> None:
    found = consensus_of([])
    assert (found.images, found.share, found.kappa(), found.pairs(), found.classes()) == (0, 0.0, None, [], [])


CLASSES = st.lists(st.sampled_from(["cat", "dog", "owl"]), min_size=1, max_size=2, unique=True)
LABELS = CLASSES.map(lambda labels: classed(*labels))


@given(st.lists(LABELS, min_size=1, max_size=12), st.integers(2, 3))
def test_who_always_says_the_same_agrees_fully(labels: list[Annotation], people: int) -> None:
    found = consensus_of(of(f"{n}", **dict.fromkeys(PEOPLE[:people], one)) for n, one in enumerate(labels))

    assert found.disputed == 0
    assert all(one["agreement"] == 1 for one in found.annotators())
    different = len({frozenset(one.classes) for one in labels}) > 1
    assert found.kappa() == (pytest.approx(1) if different else None)
    assert all(one["kappa"] in (None, pytest.approx(1)) for one in [*found.pairs(), *found.classes()])


SAID = st.dictionaries(
    st.sampled_from(PEOPLE), st.sampled_from([classed("cat"), classed("dog"), marked(0), marked(2), marked(0, 6)])
)


@given(st.lists(SAID, max_size=6), st.lists(SAID, max_size=6))
def test_what_was_taken_in_can_be_taken_out_again(
    stay: list[dict[str, Annotation]], go: list[dict[str, Annotation]]
) -> None:
    staying = [of(f"stay {n}", **one) for n, one in enumerate(stay)]
    going = [of(f"go {n}", **one) for n, one in enumerate(go)]
    found, alone = consensus_of([*going, *staying]), consensus_of(staying)
    for one in going:
        found.remove(one)

    assert (found.images, found.disputed) == (alone.images, alone.disputed)
    assert found.disputes == alone.disputes
    for rows, expected in (
        (found.pairs(), alone.pairs()),
        (found.annotators(), alone.annotators()),
        (found.classes(), alone.classes()),
    ):
        assert [pytest.approx(one) for one in expected] == rows
    assert found.kappa() == pytest.approx(alone.kappa())
