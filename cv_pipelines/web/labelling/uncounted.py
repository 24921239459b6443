"""Labelled images that do not count: they are gone, or all that is said of them is of retired classes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Engine

from cv_pipelines.annotations.store.classes import StoredClass
from cv_pipelines.annotations.store.events import page
from cv_pipelines.catalog import Catalog
from cv_pipelines.database.engine import reading
from cv_pipelines.storage.bundles import Reference
from cv_pipelines.web.labelling.said import Vocabulary

_NOTHING, _COUNTS, _DEAD = 0, 1, 2
"""What is said of an image: nothing, something that counts, something of retired classes alone."""


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
        """From all events up to one, read by portions.

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
        present = np.sort(np.array(ids.to_pylist(), "S64"))
        said = np.zeros(len(present), np.int8)
        for images, contents in _pages(catalog.database, dataset, event):
            says = np.array([found._says(content) for content in contents], np.int8)
            rows = np.searchsorted(present, images)
            there = rows < len(present)
            there[there] = present[rows[there]] == images[there]
            said[rows[there]] = says[there]  # of an image that comes again, the last one stays
            for image, one in zip(images[~there].tolist(), says[~there].tolist(), strict=True):
                (found.gone.add if one else found.gone.discard)(image.decode())
        found.dead.update(one.decode() for one in present[said == _DEAD].tolist())
        counting = int((said == _COUNTS).sum())
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
                says = self._says(content)
                if says == _NOTHING:
                    self.gone.discard(image)
                (self.dead.add if says == _DEAD and image not in self.gone else self.dead.discard)(image)
            self.event = rows[-1].id if rows else until

    def _says(self, content: str | None) -> int:
        if content is None:
            return _NOTHING
        return _COUNTS if self.vocabulary.counts(self.vocabulary.code_of(content)) else _DEAD


def retired_of(classes: Sequence[StoredClass]) -> frozenset[int]:
    """The numbers of retired classes."""
    return frozenset(one.number for one in classes if one.state == "retired")


def _pages(database: Engine, dataset: str, until: int) -> Iterator[tuple[NDArray[np.bytes_], list[str | None]]]:
    """All events up to one: images and what is said of them."""
    after = 0
    while after < until:
        with reading(database) as connection:
            rows = page(connection, dataset, ("image_id", "content"), after, until)
        if not rows:
            return
        events, images, contents = zip(*rows, strict=True)
        yield np.array(images, "S64"), list(contents)
        after = events[-1]
