"""The bytes of an image, wherever the store holds them: searched for, and deleted."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import groupby

import pyarrow.compute as pc

from cv_pipelines.catalog import Catalog
from cv_pipelines.database.locks import take_turns
from cv_pipelines.errors import InfrastructureError
from cv_pipelines.images.known import PREFIX as JOURNALS
from cv_pipelines.progress import Progress, silent
from cv_pipelines.retention.needs import THREADS
from cv_pipelines.storage.packs import PREFIX as PACKS
from cv_pipelines.storage.packs import Place, contents, erase
from cv_pipelines.storage.parquet import read_parquet
from cv_pipelines.storage.protocol import ObjectStore, StoredObject

IMAGES = "images/"
"""Where each image had an object of its own, before there were packs."""


@dataclass(frozen=True)
class Copies:
    """What a search of the whole store has found of an image.

    Attributes:
        places: in packs, whether anybody refers to them or not.
        objects: keys of objects that hold nothing but the image.
        journals: keys of what unfinished ingests have noted, where they name it.
        packs: how many were searched.
        unsearchable: keys of packs that are damaged: they may hold it.
    """

    places: list[Place] = field(default_factory=list)
    objects: list[str] = field(default_factory=list)
    journals: list[str] = field(default_factory=list)
    packs: int = 0
    unsearchable: list[str] = field(default_factory=list)

    @property
    def number(self) -> int:
        """How many copies there are."""
        return len(self.places) + len(self.objects)

    @property
    def gone(self) -> bool:
        """Whether it is certain that nothing is there."""
        return not (self.number or self.journals or self.unsearchable)


def find_copies(store: ObjectStore, image_id: str, progress: Progress = silent) -> Copies:
    """Search the index of every pack, and everything else that holds images."""
    packs = list(store.objects(PACKS))
    places: list[Place] = []
    unsearchable: list[str] = []
    with ThreadPoolExecutor(THREADS) as pool:
        searched = pool.map(lambda pack: _places(store, pack, image_id), packs)
        for done, (pack, found) in enumerate(zip(packs, searched, strict=True), start=1):
            places += found or ()
            unsearchable += [pack.key] if found is None else []
            progress("searching packs", done, len(packs))
    own = f"{IMAGES}{image_id[:2]}/{image_id}"
    journals = [one.key for one in store.objects(JOURNALS) if _names(store, one.key, image_id)]
    return Copies(places, [own] if store.exists(own) else [], journals, len(packs), unsearchable)


def delete_copies(catalog: Catalog, copies: Copies) -> int:
    """Erase what a search has found; notes are deleted, and what they are about will be read again.

    Returns:
        How many bytes of the image were overwritten or deleted.
    """
    store = catalog.store
    size = sum(len(store.get(key)) for key in copies.objects)
    for key in [*copies.objects, *copies.journals]:
        store.delete(key)
    for leftover in store.leftovers():  # cut off, they cannot be searched
        if leftover.key.startswith((PACKS, IMAGES)):
            store.delete(leftover.key)
    return size + erase_places(catalog, copies.places)


def erase_places(catalog: Catalog, places: Iterable[Place]) -> int:
    """Erase images in packs, those of one pack at a time and nobody else at the same; returns how many bytes."""
    erased = 0
    for pack, inside in groupby(sorted(places), lambda place: place.key):
        with catalog.database.begin() as connection:
            take_turns(connection, "erasing")
            erased += erase(catalog.store, pack, list(inside))
    return erased


def _places(store: ObjectStore, pack: StoredObject, image_id: str) -> list[Place] | None:
    """Where the image is in a pack; None where that cannot be told."""
    try:
        return [place for digest, place in contents(store, pack) if digest == image_id]
    except InfrastructureError as error:
        if error.code == "missing_object":  # deleted as garbage since it was listed
            return []
        if error.code in ("bad_pack", "short_object"):
            return None
        raise


def _names(store: ObjectStore, journal: str, image_id: str) -> bool:
    with store.open(journal) as file:
        ids = read_parquet(file, ["image_id"])["image_id"]
    return bool(pc.any(pc.equal(ids, image_id), min_count=0).as_py())
