"""Dealing images to people: evenly, nobody twice, and the same again from the same seed."""

from collections import Counter
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from cv_pipelines.annotations.dealing import deal

PEOPLE = [f"person {number}" for number in range(6)]
IMAGES = [f"{number:03}" for number in range(80)]
images = st.integers(0, 80).map(lambda count: IMAGES[:count])
people = st.integers(1, 6).map(lambda count: PEOPLE[:count])
shares = st.floats(0, 1)
seeds = st.integers(0, 99)


@given(images, people, shares, seeds)
def test_each_pass_is_dealt_evenly_and_nobody_gets_an_image_twice(
    images: list[str], people: list[str], twice: float, seed: int
) -> None:
    dealt = deal(images, people, twice, seed)

    assert sorted(one.image_id for one in dealt if one.pass_number == 1) == images
    assert len({(one.image_id, one.who) for one in dealt}) == len(dealt)
    seconds = round(twice * len(images)) if len(people) > 1 else 0
    assert sum(one.pass_number == 2 for one in dealt) == seconds
    for number in (1, 2):
        loads = Counter(dict.fromkeys(people, 0))
        loads.update(one.who for one in dealt if one.pass_number == number)
        assert max(loads.values()) - min(loads.values()) <= 1


@given(images, people, shares, seeds)
def test_the_same_seed_deals_the_same(images: list[str], people: list[str], twice: float, seed: int) -> None:
    assert deal(images, people, twice, seed) == deal(images, people, twice, seed)


def test_another_seed_deals_otherwise() -> None:
    assert deal(IMAGES, PEOPLE, 0.5, 1) != deal(IMAGES, PEOPLE, 0.5, 2)


def test_every_two_people_get_images_in_common() -> None:
    dealt = deal(IMAGES, PEOPLE[:4], 1.0)

    of = {who: {one.image_id for one in dealt if one.who == who} for who in PEOPLE[:4]}
    assert all(len(of[one] & of[other]) >= 10 for one, other in combinations(of, 2))


@given(images, people, shares, st.dictionaries(st.sampled_from(IMAGES), st.sets(st.sampled_from(PEOPLE))))
def test_who_may_not_have_an_image_does_not_get_it(
    images: list[str], people: list[str], twice: float, barred: dict[str, set[str]]
) -> None:
    dealt = deal(images, people, twice, barred=barred)

    assert not any(one.who in barred.get(one.image_id, ()) for one in dealt)
    assert len({(one.image_id, one.who) for one in dealt}) == len(dealt)
    left_out = set(images) - {one.image_id for one in dealt}
    assert all(barred[image] >= set(people) for image in left_out)
    assert {one.image_id for one in dealt if one.pass_number == 2} <= {
        one.image_id for one in dealt if one.pass_number == 1
    }
