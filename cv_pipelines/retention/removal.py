"""Removing a data set: its records, and every byte that nothing else needs."""

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from cv_pipelines.catalog import Catalog
from cv_pipelines.database.engine import transaction
from cv_pipelines.errors import InputError
from cv_pipelines.images.datasets import Dataset, list_datasets
from cv_pipelines.images.ingest import journal_of
from cv_pipelines.images.known import PREFIX as JOURNALS
from cv_pipelines.images.sources.factory import open_source
from cv_pipelines.images.versions import MANIFEST
from cv_pipelines.progress import Progress, silent
from cv_pipelines.retention.collection import BUNDLES, PREFIXES, delete_objects
from cv_pipelines.retention.copies import erase_places
from cv_pipelines.retention.needs import keys_of, objects_in, parts_of, places_in
from cv_pipelines.retention.records import drop_dataset, wanted_bundles
from cv_pipelines.storage.packs import PREFIX as PACKS
from cv_pipelines.storage.packs import Place, place_of
from cv_pipelines.storage.protocol import ObjectStore, StoredObject


@dataclass(frozen=True)
class Removal:
    """What goes with a data set.

    Attributes:
        dataset: its name.
        bundles: keys of the bundles that only it has a use for, and of manifests that a killed run never showed.
        objects: those that go, by key, as they were.
        places: images to erase inside packs that stay.
    """

    dataset: str
    bundles: frozenset[str]
    objects: dict[str, StoredObject]
    places: list[Place]

    @property
    def bytes(self) -> int:
        """How many bytes go, erased ones included."""
        return sum(one.size for one in self.objects.values()) + sum(place.length for place in self.places)

    def names(self, one: StoredObject) -> bool:
        """Whether an object goes, being still the one that was found."""
        return self.objects.get(one.key) == one


def plan_removal(catalog: Catalog, dataset: Dataset, progress: Progress = silent) -> Removal:
    """Find out what goes with a data set; nothing is changed.

    Raises:
        InfrastructureError: something in the store cannot be read, so nobody knows what it needs.
    """
    store = catalog.store
    with transaction(catalog.database, pretend=True) as connection:
        bundles = drop_dataset(connection, dataset.name)
        wanted = wanted_bundles(connection)
    present, journals = ({one.key for one in store.objects(prefix)} for prefix in (BUNDLES, JOURNALS))
    own_journals = _journals_of(catalog, dataset)
    bundles |= _never_shown(store, present - wanted, _Reach.of(store, bundles & present, own_journals))
    own = _Reach.of(store, bundles & present, own_journals, progress)
    others = _Reach.of(store, present - bundles, journals - own_journals, progress)
    going = own.keys - others.keys
    objects = {one.key: one for one in _everything(store) if one.key in going}
    return Removal(dataset.name, frozenset(bundles), objects, _places_apart(store, own, others))


@dataclass(frozen=True)
class _Reach:
    """What bundles and journals need: their parts, and all keys, their own included."""

    parts: set[str]
    keys: set[str]

    @staticmethod
    def of(store: ObjectStore, bundles: set[str], journals: set[str], progress: Progress = silent) -> "_Reach":
        parts = parts_of(store, bundles) | journals
        return _Reach(parts, bundles | parts | objects_in(store, parts, progress))


def remove(catalog: Catalog, removal: Removal) -> int:
    """Remove what was planned, and look again; an object that was written again since is somebody else's by now.

    Images in packs that stay are erased first, while the data set still says where they are; then
    the records go, in one transaction, then the objects. Killed before the records went, it can be
    repeated; after that `store gc` deletes the rest.

    Returns:
        How many objects of it are left: 0.

    Raises:
        InputError: meanwhile somebody has found a use for something of it.
        InfrastructureError: an image is not erased.
    """
    erase_places(catalog, removal.places)
    with transaction(catalog.database, pretend=False) as connection:
        if not removal.bundles <= drop_dataset(connection, removal.dataset, removal.bundles):
            message = f"Something of '{removal.dataset}' has come into use elsewhere: run the command again."
            raise InputError("in_use", message)
    delete_objects(catalog.store, (one.key for one in _everything(catalog.store) if removal.names(one)))
    return sum(map(removal.names, _everything(catalog.store)))


def _everything(store: ObjectStore) -> Iterator[StoredObject]:
    return (one for prefix in PREFIXES for one in store.objects(prefix))


def _journals_of(catalog: Catalog, dataset: Dataset) -> set[str]:
    """What a killed ingest of it has noted, unless that is another data set's source, too."""
    others = [one for one in list_datasets(catalog.database) if one.name != dataset.name]
    if any(one.source == dataset.source for one in others):
        return set()
    try:
        journal = journal_of(catalog.store, open_source(dataset.source))
    except InputError:  # the source is gone; the notes go as garbage does
        return set()
    return {one.key for one in catalog.store.objects(f"{JOURNALS}{journal.name}/")}


def _never_shown(store: ObjectStore, unwanted: set[str], own: _Reach) -> set[str]:
    """Manifests that a killed run has made and not published, of images that are the data set's."""
    manifests = [key for key in unwanted if key.startswith(f"{BUNDLES}{MANIFEST}/")]
    return {key for key in manifests if own.keys & objects_in(store, parts_of(store, [key]))}


def _places_apart(store: ObjectStore, own: _Reach, others: _Reach) -> list[Place]:
    """Places of the data set's images in packs that stay, and where nobody else has any."""
    packs = [key for key in own.keys & others.keys if key.startswith(PACKS)]
    if not packs:
        return []
    named = [places for part in own.parts - others.parts for places in places_in(store, part)]
    inside = [places.filter(pc.is_in(keys_of(places), pa.array(packs))) for places in named]
    apart = pa.chunked_array(inside, pa.string()).unique()
    for part in others.parts:
        for places in places_in(store, part):
            apart = apart.filter(pc.invert(pc.is_in(apart, places)))
    return [place_of(place) for place in apart.to_pylist()]
