"""Data sets of real files, ingested for real, in a catalog whose store and clock a test can turn back."""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import select

from cv_pipelines.catalog import Catalog, Outcome
from cv_pipelines.database.tables import artefacts
from cv_pipelines.images.datasets import add_dataset, find_dataset
from cv_pipelines.images.decisions import wishes_of
from cv_pipelines.images.ingest import ingest
from cv_pipelines.images.sources.folder import FolderSource
from cv_pipelines.images.versions import MANIFEST
from cv_pipelines.storage.local import LocalStore

WriteImage = Callable[..., Path]


@dataclass
class Library:
    """Data sets in folders below `root`, and what was made of them."""

    catalog: Catalog
    root: Path
    write_image: WriteImage
    synced: list[str] = field(default_factory=list)

    @property
    def files(self) -> Path:
        """The folder of the store."""
        assert isinstance(self.catalog.store, LocalStore)
        return self.catalog.store.root

    def write(self, path: str, seed: int) -> str:
        """Write a picture; returns the id of its image."""
        return image_id(self.write_image(self.root / path, seed=seed, width=40, height=30))

    def add(self, name: str, folder: str = "") -> Outcome:
        """Name the data set of a folder, and ingest it."""
        add_dataset(self.catalog.database, name, str(self.root / (folder or name)))
        return self.sync(name)

    def sync(self, name: str) -> Outcome:
        """Ingest a data set again, as a run does."""
        source = FolderSource(Path(find_dataset(self.catalog.database, name).source))
        previous = self.catalog.current(MANIFEST, name)
        outcome = ingest(self.catalog, source, 1, previous=previous, wishes=wishes_of(self.catalog.database, name))
        self.synced.append(f"run-{len(self.synced)}")
        self.catalog.publish(MANIFEST, name, outcome.reference, self.synced[-1])
        return outcome

    def holding(self, data: bytes) -> list[Path]:
        """The files of the store in which some bytes stand, whatever they are."""
        return [path for path in self.files.rglob("*") if path.is_file() and data in path.read_bytes()]

    def keys(self) -> set[str]:
        """The keys of everything in the store."""
        return {stored.key for stored in self.catalog.store.objects("")}

    def grow_old(self, days: float = 30) -> None:
        """Let everything that is there have been there for a while."""
        self.age_objects([str(path.relative_to(self.files)) for path in self.files.rglob("*")], days)
        self.age_records({one.version for one in self.catalog.references()}, days)

    def age_objects(self, keys: Iterable[str], days: float) -> None:
        """Let objects have been written that much earlier."""
        for key in keys:
            then = (self.files / key).stat().st_mtime - timedelta(days=days).total_seconds()
            os.utime(self.files / key, (then, then))

    def age_records(self, versions: Iterable[str], days: float) -> None:
        """Let artefacts have been recorded that much earlier."""
        with self.catalog.database.begin() as connection:
            for row in connection.execute(select(artefacts).where(artefacts.c.version.in_(list(versions)))).all():
                then = row.created_at - timedelta(days=days)
                connection.execute(artefacts.update().where(artefacts.c.id == row.id).values(created_at=then))


def image_id(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def library(catalog: Catalog, tmp_path: Path, write_image: WriteImage, monkeypatch: pytest.MonkeyPatch) -> Library:
    """A library with nothing in it; what is ingested at once shares a pack, as in large folders."""
    monkeypatch.setattr("cv_pipelines.images.ingest._SHARES", 1)
    return Library(catalog, tmp_path / "sources", write_image)
