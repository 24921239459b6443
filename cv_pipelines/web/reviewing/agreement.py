"""How far people agree, kept up to date in each process: a page never waits until all labels have been read."""

from bisect import bisect_left, insort
from collections import OrderedDict
from collections.abc import Container
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from threading import Lock
from time import monotonic
from typing import Any

from sqlalchemy import Engine

from cv_pipelines.annotations.consensus import Consensus
from cv_pipelines.annotations.store.classes import last_class_event
from cv_pipelines.annotations.store.opinions import changed_since, opinions_of_images, read_opinions
from cv_pipelines.annotations.store.versions import last_event
from cv_pipelines.catalog import Catalog
from cv_pipelines.database.engine import reading
from cv_pipelines.images.datasets import find_dataset
from cv_pipelines.images.versions import MANIFEST
from cv_pipelines.storage.bundles import Reference
from cv_pipelines.web.image_index import ImageIndex, ImageIndexes

PATIENCE = 0.4
"""Seconds that a page waits for figures before it is shown without them, or with earlier ones."""
_MOST = 8
_TELL_EVERY = 500


@dataclass(frozen=True)
class Moment:
    """What figures are of: a data set (which may be removed and named again), its images, the newest events."""

    created_at: datetime
    event: int
    class_event: int
    manifest: str


@dataclass(frozen=True)
class Figures:
    """How far people agree at one moment.

    Attributes:
        moment: which.
        images: how many two or more people have labelled.
        disputes: ids of those that are in dispute, in order.
        kappa: Fleiss' of all classes of images as a whole; None: there is nothing to tell it from, as below.
        pairs: as of Consensus, which says what these are.
        annotators: likewise.
        classes: likewise.
    """

    moment: Moment
    images: int
    disputes: tuple[str, ...]
    kappa: float | None
    pairs: list[dict[str, Any]]
    annotators: list[dict[str, Any]]
    classes: list[dict[str, Any]]


@dataclass
class _Kept:
    """The sums of a data set; only one thread works on them at a time."""

    moment: Moment
    consensus: Consensus = field(default_factory=Consensus)
    disputes: list[str] = field(default_factory=list)

    def figures(self) -> Figures:
        all_ = self.consensus
        parts = (all_.pairs(), all_.annotators(), all_.classes())
        return Figures(self.moment, all_.images, tuple(self.disputes), all_.kappa(), *parts)

    def read_all(self, database: Engine, dataset: str, present: Container[str], state: "_State") -> None:
        for number, one in enumerate(read_opinions(database, dataset, present, self.moment.event)):
            if self.consensus.add(one):
                self.disputes.append(one.image)
            if number % _TELL_EVERY == 0:
                state.looked_at = number
        self.disputes.sort()

    def catch_up(self, database: Engine, dataset: str, index: ImageIndex, now: Moment) -> None:
        """Take out what was said of the images that have changed, and take in what is said of them now."""
        with reading(database) as connection:
            changed = changed_since(connection, dataset, self.moment.event, now.event)
        rows = index.rows_of(changed).tolist()
        images = [one for one, row in zip(changed, rows, strict=True) if row >= 0]
        for one in opinions_of_images(database, dataset, images, self.moment.event):
            self.consensus.remove(one)
            place = bisect_left(self.disputes, one.image)
            if self.disputes[place : place + 1] == [one.image]:
                del self.disputes[place]
        for one in opinions_of_images(database, dataset, images, now.event):
            if self.consensus.add(one):
                insort(self.disputes, one.image)
        self.moment = now


@dataclass
class _State:
    """A data set: its sums, the newest figures, and who works on them."""

    kept: _Kept | None = None
    figures: Figures | None = None
    work: "Future[None] | None" = None
    looked_at: int = 0


@dataclass(frozen=True)
class Answer:
    """What is known at once.

    Attributes:
        figures: the newest ones; None: these are the first, and are not ready.
        fresh: nothing has been said since.
        looked_at: how many images have been looked at, where they are not ready.
    """

    figures: Figures | None
    fresh: bool
    looked_at: int = 0


@dataclass(frozen=True)
class Agreement:
    """The figures of the data sets asked for last.

    The first time all events are read, on a thread beside; after that only those of images that have changed. Any
    process can make them again: nothing depends on who has them.
    """

    catalog: Catalog
    indexes: ImageIndexes
    _states: OrderedDict[str, _State] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def of(self, dataset: str, patience: float = PATIENCE) -> Answer:
        """The figures of a data set, after a while at most.

        Raises:
            InputError: `not_materialized`: it has no images yet.
        """
        until = monotonic() + patience
        while True:
            now, _ = self._now(dataset)
            with self._lock:
                state = self._state(dataset)
                if state.figures is not None and state.figures.moment == now:
                    return Answer(state.figures, fresh=True)
                if state.work is None or state.work.done():
                    state.work = self._workers.submit(self._work, dataset, state)
                work = state.work
            wait([work], max(0.0, until - monotonic()))
            if work.done():
                work.result()  # what went wrong is for who asks
            if monotonic() >= until:
                figures = state.figures  # which may be of now, by somebody who was done while nobody waited
                return Answer(figures, figures is not None and figures.moment == now, state.looked_at)

    def _state(self, dataset: str) -> _State:
        state = self._states.setdefault(dataset, _State())
        self._states.move_to_end(dataset)
        while len(self._states) > _MOST:
            self._states.popitem(last=False)
        return state

    def _now(self, dataset: str) -> tuple[Moment, Reference]:
        """The moment that it is, and the manifest that stands."""
        created_at = find_dataset(self.catalog.database, dataset).created_at
        manifest = self.catalog.require(MANIFEST, dataset)
        with reading(self.catalog.database) as connection:
            events = last_event(connection, dataset), last_class_event(connection, dataset)
        return Moment(created_at, *events, manifest.key), manifest

    def _work(self, dataset: str, state: _State) -> None:
        now, manifest = self._now(dataset)
        index = self.indexes.of(manifest)
        kept, state.kept = state.kept, None  # half of a work that fails is worth nothing
        if kept is None or not _follows(now, kept.moment):
            state.looked_at = 0
            kept = _Kept(now)
            present = frozenset(index.images.ids.to_pylist())
            kept.read_all(self.catalog.database, dataset, present, state)
        else:
            kept.catch_up(self.catalog.database, dataset, index, now)
        state.kept, state.figures = kept, kept.figures()

    @cached_property
    def _workers(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(2, "agreement")


def _follows(now: Moment, before: Moment) -> bool:
    """Whether only labels have changed: another name of a class, or other images, may change everything."""
    return replace(now, event=before.event) == before and now.event >= before.event
