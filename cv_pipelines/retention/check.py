"""Whether a store has everything that is referred to: after a restore, or when a disk is in doubt."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Literal

from cv_pipelines.errors import InfrastructureError
from cv_pipelines.progress import Progress, silent
from cv_pipelines.retention.needs import THREADS, objects_in, parts_of
from cv_pipelines.storage import packs
from cv_pipelines.storage.bundles import Reference
from cv_pipelines.storage.protocol import ObjectStore, StoredObject


@dataclass(frozen=True)
class Fault:
    """An object that is needed and not as it must be."""

    key: str
    problem: Literal["missing", "damaged"]
    needed_by: str


def check_references(
    store: ObjectStore, references: list[Reference], progress: Progress = silent
) -> tuple[int, list[Fault]]:
    """Look for every object that references lead to.

    Returns:
        How many objects they lead to, and those that are not there or cannot be read.
    """
    check = _Check(store, {one.key: one for one in store.objects("")})
    with ThreadPoolExecutor(THREADS) as pool:
        for done, _ in enumerate(pool.map(check.artefact, references), start=1):
            progress("looking at artefacts", done, len(references))
    return len(check.seen), sorted(check.faults.values(), key=lambda fault: fault.key)


def check_contents(store: ObjectStore, progress: Progress = silent) -> Iterator[Fault]:
    """Read everything that is named by the SHA-256 of its bytes, and yield what has others."""
    listed = [one for prefix in ("bundles/", "parts/", packs.PREFIX) for one in store.objects(prefix)]
    with ThreadPoolExecutor(THREADS) as pool:
        answers = pool.map(lambda one: _has_its_content(store, one), listed)
        for done, (one, good) in enumerate(zip(listed, answers, strict=True), start=1):
            if not good:
                yield Fault(one.key, "damaged", "its name")
            progress("reading objects", done, len(listed))


@dataclass
class _Check:
    """One pass over references, by several threads; an object is looked at once."""

    store: ObjectStore
    present: dict[str, StoredObject]
    seen: set[str] = field(default_factory=set)
    faults: dict[str, Fault] = field(default_factory=dict)

    def artefact(self, reference: Reference) -> None:
        """Follow an artefact from its bundle to its parts, and to the packs that tables among them name."""
        needed_by = f"{reference.kind} {reference.version}"
        for part in self._below(reference.key, needed_by, lambda one: parts_of(self.store, [one.key])):
            for pack in self._below(part, needed_by, lambda one: objects_in(self.store, [one.key])):
                self._below(pack, needed_by, self._contents)

    def _below(self, key: str, needed_by: str, look: Callable[[StoredObject], Iterable[str]]) -> list[str]:
        """What an object names in turn; nothing if it is at fault, or was looked at before."""
        if key in self.seen:
            return []
        self.seen.add(key)
        if key not in self.present:
            self.faults[key] = Fault(key, "missing", needed_by)
            return []
        try:
            return list(look(self.present[key]))
        except InfrastructureError:
            self.faults[key] = Fault(key, "damaged", needed_by)
            return []

    def _contents(self, pack: StoredObject) -> list[str]:
        """Read the index of a pack, which is at its end; images once were objects of their own."""
        if pack.key.startswith(packs.PREFIX):
            list(packs.contents(self.store, pack))
        return []


def _has_its_content(store: ObjectStore, one: StoredObject) -> bool:
    """Compare an object with its name; a pack, in which images may have been erased, with its index."""
    data = store.get(one.key)
    if not one.key.startswith(packs.PREFIX):
        return hashlib.sha256(data).hexdigest() == PurePosixPath(one.key).stem
    try:
        inside = list(packs.contents(store, one))
    except InfrastructureError:
        return False
    return all(
        hashlib.sha256(data[place.offset : place.offset + place.length]).hexdigest() == digest
        for digest, place in inside
    )
