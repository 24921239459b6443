"""Labelled images that do not count: they are gone, or all that is said of them is of retired classes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Engine

from cv_pipelines.annotations.store.classes import StoredClass
from cv_pipelines.annotations.store.events import page
from cv_pipelines.annotations.store.standing import standing
from cv_pipelines.catalog import Catalog
from cv_pipelines.database.engine import reading
from cv_pipelines.storage.bundles import Reference
from cv_pipelines.web.labelling.said import Vocabulary


@dataclass
class Uncounted:
    """As of an event, one version of the images, and one of the classes; about 120 bytes an image are held.

    Attributes:
        dataset: its name.
        manifest: key of the version of its images.
        retired: numbers of classes.
        event: up to which labels were looked at.
        vocabulary: with the classes.
        gone: ids of images that are not there any more, and have a label.
        dead: ids of images that have a label of retired classes alone.
        erased: how many have had one that was erased with them.
    """

    dataset: str
    manifest: str
    retired: frozenset[int]
    event: int
    vocabulary: Vocabulary
    gone: set[str]
    dead: set[str]
    erased: int

    @classmethod
    def read(
        cls,
        catalog: Catalog,
        dataset: str,
        manifest: Reference,
        classes: Sequence[StoredClass],
        event: int,
        labelled: int,
    ) -> "Uncounted":
        """From all labels that stand at an event, read by portions.

        Args:
            catalog: where they are.
            dataset: its name.
            manifest: the images that there are.
            classes: as they are.
            event: the newest one.
            labelled: how many images have a label at that event, whatever it says.
        """
        vocabulary = Vocabulary()
        vocabulary.change_classes(classes)
        found = cls(dataset, manifest.key, retired_of(classes), event, vocabulary, set(), set(), 0)
        ids = catalog.open(manifest).table("images", ["image_id"])["image_id"]
        present = np.sort(np.array(ids.to_pylist(), "S"))
        counting = 0
        for some in standing(catalog.database, dataset, event):
            images = some["image_id"].to_pylist()
            there = _are_in(present, images)
            for image, content, is_there in zip(images, some["content"].to_pylist(), there, strict=True):
                if not is_there:
                    found.gone.add(image)
                elif not found._counts(content):
                    found.dead.add(image)
                else:
                    counting += 1
        found.erased = max(0, labelled - counting - len(found.gone) - len(found.dead))
        return found

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.gone) + len(self.dead) + self.erased

    def is_of(self, manifest: Reference, classes: Sequence[StoredClass], event: int) -> bool:
        """Whether it is of these images and classes, and not of a time before the database was restored."""
        return (self.manifest, self.retired) == (manifest.key, retired_of(classes)) and self.event <= event

    def catch_up(self, database: Engine, classes: Sequence[StoredClass], until: int) -> None:
        """Take in what was said up to an event; nothing is said of an image that is not there."""
        self.vocabulary.change_classes(classes)  # there may be new ones
        while self.event < until:
            with reading(database) as connection:
                rows = page(connection, self.dataset, ("image_id", "content"), self.event, until)
            for row in rows:
                image, content = row.image_id, row.content
                if content is None:
                    self.gone.discard(image)
                if content is None or image in self.gone or self._counts(content):
                    self.dead.discard(image)
                else:
                    self.dead.add(image)
            self.event = rows[-1].id if rows else until

    def _counts(self, content: str) -> bool:
        return self.vocabulary.counts(self.vocabulary.code_of(content))


def retired_of(classes: Sequence[StoredClass]) -> frozenset[int]:
    """The numbers of retired classes."""
    return frozenset(one.number for one in classes if one.state == "retired")


def _are_in(present: NDArray[np.bytes_], images: list[str]) -> list[bool]:
    """Whether images are among ids in their order."""
    if not len(present):
        return [False] * len(images)
    wanted = np.array(images, "S")
    rows = np.minimum(np.searchsorted(present, wanted), len(present) - 1)
    found: list[bool] = (present[rows] == wanted).tolist()
    return found
