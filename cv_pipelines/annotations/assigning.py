"""Which images people are given to label, and who gets which."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal

from cv_pipelines.annotations.dealing import Dealt
from cv_pipelines.annotations.people import require_person
from cv_pipelines.annotations.store.assignments import assign, taken_images
from cv_pipelines.annotations.store.events import writing
from cv_pipelines.annotations.store.standing import labelled_images
from cv_pipelines.catalog import Catalog
from cv_pipelines.errors import InputError
from cv_pipelines.images.versions import MANIFEST

MOST = 20_000
"""Images that are dealt at a time: nobody can say anything of the data set meanwhile."""
Source = Literal["unlabelled", "random"]


@dataclass(frozen=True)
class Assigned:
    """What was dealt.

    Attributes:
        images: how many.
        twice: how many of them to two people.
        shares: how many each person has got, in both passes.
    """

    images: int
    twice: int
    shares: dict[str, int]


def assign_some(
    catalog: Catalog,
    dataset: str,
    people: Sequence[str],
    by: str,
    count: int,
    source: Source = "unlabelled",
    twice: float = 0.0,
    seed: int = 0,
) -> Assigned:
    """Deal images that nobody has yet, chosen at random, evenly to people.

    Args:
        catalog: where the data set is.
        dataset: its name.
        people: who labels.
        by: assigns.
        count: of images, MOST at most; there may be fewer.
        source: those without a label, or all.
        twice: the part of them that is given to a second person, too, who does not see what the first one says.
        seed: of chance: the same images and people give the same again.

    Raises:
        InputError: `who`, `too_many`, `too_few_people`, `share`; `not_materialized`: there are no images yet.
    """
    if not 0 < count <= MOST:
        raise InputError("too_many", f"{count:,} images cannot be assigned at a time: 1 to {MOST:,}.")
    _require(people, twice)
    manifest = catalog.open(catalog.require(MANIFEST, dataset))
    present: list[str] = manifest.table("images", ["image_id"])["image_id"].to_pylist()
    labelled = labelled_images(catalog.database, dataset) if source == "unlabelled" else set[str]()
    with writing(catalog.database, dataset) as connection:
        gone = labelled | taken_images(connection, dataset)
        free = [one for one in present if one not in gone]
        chosen = Random(seed).sample(free, min(count, len(free)))  # noqa: S311 - no secret
        return _summary(people, assign(connection, dataset, chosen, people, by, twice, seed))


def assign_these(
    catalog: Catalog,
    dataset: str,
    images: Collection[str],
    people: Sequence[str],
    by: str,
    twice: float = 0.0,
    seed: int = 0,
) -> Assigned:
    """Deal images of these ids, each once; those that somebody has already are left out; errors as above."""
    if len(images) > MOST:
        raise InputError("too_many", f"{len(images):,} images cannot be assigned at a time: {MOST:,} at most.")
    _require(people, twice)
    with writing(catalog.database, dataset) as connection:
        return _summary(people, assign(connection, dataset, images, people, by, twice, seed))


def _require(people: Sequence[str], twice: float) -> None:
    for who in people:
        require_person(who)
    if not people or len(set(people)) < len(people):
        raise InputError("too_few_people", "Name one or more people, each once.")
    if not 0 <= twice <= 1:
        raise InputError("share", f"{twice} is no share: give a number from 0 to 1.")
    if twice and len(people) < 2:
        raise InputError("too_few_people", "That images are labelled twice takes two people or more.")


def _summary(people: Sequence[str], dealt: Sequence[Dealt]) -> Assigned:
    passes = Counter(one.pass_number for one in dealt)
    shares = Counter(one.who for one in dealt)
    return Assigned(passes[1], passes[2], {who: shares[who] for who in people})
