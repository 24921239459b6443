"""What stands of each image of a manifest, as arrays: read once per process, then kept up by the events that come.

Any process may add events; each index asks for those after the last one that it has seen.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock, RLock
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Row

from cv_pipelines.annotations.store.classes import StoredClass, classes_of, last_class_event, numbers_by_name
from cv_pipelines.annotations.store.events import Origin, page
from cv_pipelines.annotations.store.versions import last_event
from cv_pipelines.images.datasets import Dataset
from cv_pipelines.storage.bundles import Reference
from cv_pipelines.web.image_index import ImageIndex
from cv_pipelines.web.kept import Kept
from cv_pipelines.web.labelling.said import NOTHING, Said, Vocabulary, alive_in, said_in

_COLUMNS = ("image_id", "version", "content", "origin", "who", "model")


@dataclass(frozen=True)
class Label:
    """What stands of an image, in short.

    Attributes:
        version: of its label, 0 where nothing was ever said.
        classes: of the image as a whole, and of its boxes, each once; none that is retired.
        boxes: how many of them it has.
        origin: what it is from; empty: the image is not labelled.
        who: has said it.
        model: version of the model that has, if it was one.
    """

    version: int = 0
    classes: tuple[StoredClass, ...] = ()
    boxes: int = 0
    origin: Origin | Literal[""] = ""
    who: str = ""
    model: str = ""


def label_of(event: Row[Any] | None, classes: Mapping[int, StoredClass]) -> Label:
    """What an event of an image says, in short."""
    if event is None or event.content is None:
        return Label(event.version if event else 0)
    alive = alive_in(said_in(event.content), classes)
    if alive is None:
        return Label(event.version)
    return Label(event.version, *alive, event.origin, event.who, event.model)


def as_seen_blind(label: Label) -> Label:
    """What somebody sees who has still to label an image themselves: what a person says of it is not shown."""
    return Label(label.version) if label.origin == "person" else label


@dataclass(frozen=True)
class Counts:
    """How many images of a data set are labelled, of how many, and how many bear each class, by its number."""

    labelled: int = 0
    total: int = 0
    classes: dict[int, int] = field(default_factory=dict)


@dataclass
class LabelIndex:
    """What stands of each image, by its row; hold `lock` while you use it.

    Attributes:
        turn: held by who saves: threads that wait for each other here do not ask SQLite again and again.
        images: the images.
        dataset: of which they are.
        version: of each label.
        said: what each label says, as a number of `vocabulary`.
        author: of each label, as a number.
        event: the newest one of each image, 0: none.
        by_name: active classes by all names that they have had: a model goes on using those that it has learned.
    """

    images: ImageIndex
    dataset: str
    vocabulary: Vocabulary = field(default_factory=Vocabulary)
    lock: RLock = field(default_factory=RLock)
    turn: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        self._empty()

    def _empty(self) -> None:
        count = len(self.images)
        self.version: NDArray[np.int32] = np.zeros(count, np.int32)
        self.said: NDArray[np.int32] = np.full(count, NOTHING, np.int32)
        self.author: NDArray[np.int32] = np.zeros(count, np.int32)
        self.event: NDArray[np.int64] = np.zeros(count, np.int64)
        self._authors: list[tuple[Origin | Literal[""], str, str]] = [("", "", "")]
        self._author_codes = {self._authors[0]: 0}
        self._images_saying: Counter[int] = Counter({NOTHING: count})
        self._images_bearing: Counter[int] = Counter()
        self._labelled = 0
        self.last = 0
        self._last_class = -1  # none was read yet
        self.by_name: dict[str, StoredClass] = {}

    def catch_up(self, connection: Connection) -> None:
        """Take in what was said since the last time."""
        last_class = last_class_event(connection, self.dataset)
        newest = last_event(connection, self.dataset)
        if newest < self.last or last_class < self._last_class:  # the database was restored from a backup
            self._empty()
        if last_class != self._last_class:
            self.vocabulary.change_classes(classes_of(connection, self.dataset))
            numbers = numbers_by_name(connection, self.dataset)
            self.by_name = {name: one for name, number in numbers.items() if (one := self._active(number))}
            self._labelled = sum(
                count for code, count in self._images_saying.items() if self.vocabulary.counts(code)
            )
            self._last_class = last_class
        while self.last < newest:
            rows = page(connection, self.dataset, _COLUMNS, self.last, newest)
            self._take(rows)
            self.last = rows[-1].id if rows else newest

    def _active(self, number: int) -> StoredClass | None:
        found = self.vocabulary.classes.get(number)
        return found if found and found.state == "active" else None

    @property
    def classes(self) -> list[StoredClass]:
        """All classes by number, those that are retired too."""
        return list(self.vocabulary.classes.values())

    def counts(self) -> Counts:
        """Kept running; nothing is counted here."""
        bearing = {number: self._images_bearing[number] for number in self.vocabulary.classes}
        return Counts(self._labelled, len(self.images), bearing)

    def labelled(self) -> NDArray[np.bool_]:
        """Which images are labelled."""
        return self.vocabulary.counting()[self.said]

    def bearing(self, number: int) -> NDArray[np.bool_]:
        """Which images bear a class, as a whole or on a box."""
        return self.vocabulary.bearing(number)[self.said]

    def labelled_by(self, origin: Origin) -> NDArray[np.bool_]:
        """Which images have labels of an origin."""
        theirs = np.array([one == origin for one, _, _ in self._authors])
        return theirs[self.author] & self.labelled()

    def label(self, row: int) -> Label:
        """What stands of an image."""
        alive = self.vocabulary.alive(int(self.said[row]))
        version = int(self.version[row])
        if alive is None:
            return Label(version)
        return Label(version, *alive, *self._authors[self.author[row]])

    def _take(self, rows: Sequence[Row[Any]]) -> None:
        """The next events: of each image only the newest one matters."""
        if not rows:
            return
        ids, images, versions, contents, origins, whos, models = zip(*rows, strict=True)
        places = self.images.rows_of(images)
        there, from_end = np.unique(places[::-1], return_index=True)
        newest = len(places) - 1 - from_end[there >= 0]
        there = there[there >= 0]
        codes = np.array([self.vocabulary.code_of(contents[one]) for one in newest.tolist()], np.int32)
        self._count(self.said[there], -1)
        self._count(codes, 1)
        self.said[there] = codes
        self.version[there] = np.array(versions, np.int32)[newest]
        self.event[there] = np.array(ids, np.int64)[newest]
        self.author[there] = [self._author(origins[n], whos[n], models[n]) for n in newest.tolist()]

    def _author(self, *author: Any) -> int:
        code = self._author_codes.get(author)
        if code is None:
            code = self._author_codes[author] = len(self._authors)
            self._authors.append(author)
        return code

    def _count(self, codes: NDArray[np.int32], sign: int) -> None:
        for code, count in zip(*(one.tolist() for one in np.unique(codes, return_counts=True)), strict=True):
            self._images_saying[code] += sign * count
            if self.vocabulary.counts(code):
                self._labelled += sign * count
            said: Said | None = self.vocabulary.said(code)
            for number in said.bears if said else ():
                self._images_bearing[number] += sign * count


@dataclass(frozen=True)
class LabelIndexes:
    """The indexes used last."""

    _held: Kept[tuple[str, datetime, str], LabelIndex] = field(default_factory=Kept)

    def of(self, dataset: Dataset, manifest: Reference, images: ImageIndex) -> LabelIndex:
        """The index of a data set, which may be behind; one that was removed and named again is another one."""
        key = (dataset.name, dataset.created_at, manifest.key)
        return self._held.of(key, lambda: LabelIndex(images, dataset.name))
