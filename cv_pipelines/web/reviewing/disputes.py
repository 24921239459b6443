"""Disputes as a page shows them, one after another, to who may see them."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cv_pipelines.annotations.annotation import Annotation, Box
from cv_pipelines.annotations.opinions import Opinions
from cv_pipelines.annotations.store.assignments import blind_to
from cv_pipelines.annotations.store.classes import StoredClass, classes_of
from cv_pipelines.annotations.store.opinions import opinions_of_images, opinions_on
from cv_pipelines.database.engine import reading
from cv_pipelines.errors import InputError
from cv_pipelines.web.image_index import ImageIndex
from cv_pipelines.web.platform import Platform
from cv_pipelines.web.shown_images import images_with
from cv_pipelines.web.tokens import Identity, Role

MOST = 20
"""Disputes of an answer."""
_AT_ONCE = 50
_MOST_READ = 1000
# of Okabe and Ito, Color Universal Design, 2008: told apart by everybody, on light and dark
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8a6d00")


@dataclass(frozen=True)
class Reviewer:
    """Who looks at the disputes of a data set, and what is needed to show them.

    Attributes:
        platform: the platform.
        dataset: name of the data set.
        index: its images.
        identity: who asks.
        people: all who have labelled images in common with others, in order: so each keeps a colour.
    """

    platform: Platform
    dataset: str
    index: ImageIndex
    identity: Identity
    people: Sequence[str]

    def page(self, disputes: Sequence[str], after: str, most: int) -> tuple[list[dict[str, Any]], str | None]:
        """The disputes that follow an id, and the id to go on after; None: there are no more.

        Left out are images that who asks has still to label themselves, what was settled a moment ago, and images
        that the data set had when the disputes were listed.

        Args:
            disputes: ids of the images in dispute, in order.
            after: an id, which need not be among them.
            most: of a page.
        """
        numbers, place = self._numbers(), bisect_right(disputes, after)
        end = min(len(disputes), place + _MOST_READ)
        found: list[dict[str, Any]] = []
        while place < end:
            some = disputes[place : place + _AT_ONCE]
            blind = self._blind_to(some)
            present = [one for one, row in zip(some, self.index.rows_of(some).tolist(), strict=True) if row >= 0]
            for one in opinions_of_images(self.platform.database, self.dataset, present):
                if one.in_dispute and one.image not in blind:
                    found.append(self._shown(one, numbers))
                    if len(found) == most:
                        return found, one.image
            place += len(some)
        return found, disputes[end - 1] if end < len(disputes) else None

    def one(self, image_id: str) -> dict[str, Any]:
        """An image, also one that is settled.

        Raises:
            InputError: `missing_image`, `erased_image`; `blind`: who asks has still to label it.
        """
        images_with(self.platform, self.dataset, image_id)
        if self._blind_to([image_id]):
            raise InputError("blind", "This image is assigned to you: say first what you see on it yourself.")
        with reading(self.platform.database) as connection:
            opinions = opinions_on(connection, self.dataset, image_id)
        return self._shown(opinions, self._numbers())

    def _blind_to(self, images: Sequence[str]) -> set[str]:
        with reading(self.platform.database) as connection:
            return blind_to(connection, self.dataset, self.identity.name, images)

    def _numbers(self) -> dict[str, int]:
        with reading(self.platform.database) as connection:
            return {one.name: one.number for one in classes_of(connection, self.dataset)}

    def _shown(self, one: Opinions, numbers: Mapping[str, int]) -> dict[str, Any]:
        row = self.index.images.require(one.image)
        said = one.open if one.in_dispute else one.said
        return {
            "image_id": one.image,
            "name": self.index.name_at(row),
            "version": one.version,
            "width": int(self.index.width[row]),
            "height": int(self.index.height[row]),
            "opinions": [self._opinion(who, said[who], numbers) for who in sorted(said)],
            "settled": not one.in_dispute,
            "refused": why_not(self.identity, one),
        }

    def _opinion(self, who: str, said: Annotation, numbers: Mapping[str, int]) -> dict[str, Any]:
        known = [*self.people, *([who] if who not in self.people else [])]
        return {
            "who": who,
            "colour": _COLOURS[known.index(who) % len(_COLOURS)],
            "classes": [numbers[name] for name in said.classes],
            "boxes": [_box(box, numbers) for box in said.boxes],
        }


def why_not(identity: Identity, opinions: Opinions) -> str | None:
    """Why somebody may not settle what people say of an image; None: they may.

    An admin may; an annotator may who is no party to it: who has settled it before is none.
    """
    if identity.role < Role.ANNOTATOR:
        return "This needs the role 'annotator'."
    if identity.name in opinions.said and identity.role < Role.ADMIN:
        return "You have labelled this image yourself: somebody else settles it."
    return None


def choices(classes: Sequence[StoredClass]) -> list[dict[str, Any]]:
    """Classes that an image can be given, and those that it may have, as pages know them."""
    return [
        {"number": one.number, "name": one.name, "colour": one.colour, "active": one.state == "active"}
        for one in classes
        if one.state != "retired"
    ]


def _box(box: Box, numbers: Mapping[str, int]) -> dict[str, Any]:
    place = {"left": box.left, "top": box.top, "width": box.width, "height": box.height}
    return {"class": numbers[box.label], **place, "outline": box.outline}
