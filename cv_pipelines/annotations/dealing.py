"""Which person labels which image: a pure function, and the same again from the same seed."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from random import Random

NOBODY: Mapping[str, Collection[str]] = {}


@dataclass(frozen=True, slots=True)
class Dealt:
    """An image for a person, in the first pass or the second."""

    image_id: str
    pass_number: int
    who: str


def deal(
    images: Sequence[str],
    people: Sequence[str],
    twice: float = 0.0,
    seed: int = 0,
    barred: Mapping[str, Collection[str]] = NOBODY,
) -> list[Dealt]:
    """Deal images to people, as many to each, give or take one; a share of them to a second person, too.

    Who has somebody's image in the second pass goes round, so that every two people get images in common.

    Args:
        images: their ids, each once.
        people: their names, each once.
        twice: the part of the images, 0 to 1, that two people get; chosen at random.
        seed: of chance.
        barred: who may not have an image: they have labelled it, or have it already. Where this leaves nobody, the
            image is not dealt; where it leaves some, shares are as even as that allows.
    """
    shuffled = Random(seed).sample(images, len(images))  # noqa: S311 - no secret
    first, second = _Pass(people), _Pass(people)
    dealt = []
    for place, image in enumerate(shuffled):
        who = first.take(place, barred.get(image, ()))
        if who is None:
            continue
        dealt.append(Dealt(image, 1, who))
        if place < round(twice * len(images)):
            rounds = place // len(people) % max(1, len(people) - 1)
            other = second.take(people.index(who) + 1 + rounds, {who, *barred.get(image, ())})
            if other is not None:
                dealt.append(Dealt(image, 2, other))
    return dealt


class _Pass:
    """How many images each person has got so far."""

    def __init__(self, people: Sequence[str]) -> None:
        self._people = people
        self._loads: Counter[str] = Counter()

    def take(self, turn: int, barred: Collection[str]) -> str | None:
        """Who has fewest, and among those whose turn it is, or comes next; None: all are barred."""
        number = len(self._people)
        allowed = [place for place in range(number) if self._people[place] not in barred]
        if not allowed:
            return None
        chosen = min(allowed, key=lambda place: (self._loads[self._people[place]], (place - turn) % number))
        self._loads[self._people[chosen]] += 1
        return self._people[chosen]
