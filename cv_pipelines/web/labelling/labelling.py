"""What labelling works on, opened once per process, and one data set of it as it is now."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from cv_pipelines.catalog import Catalog
from cv_pipelines.database.engine import reading
from cv_pipelines.errors import InputError
from cv_pipelines.images.datasets import Dataset, find_dataset
from cv_pipelines.images.versions import MANIFEST
from cv_pipelines.storage.bundles import Reference
from cv_pipelines.web.image_index import ImageIndex, ImageIndexes
from cv_pipelines.web.labelling.label_index import LabelIndex, LabelIndexes


@dataclass(frozen=True)
class LabelledImages:
    """A data set: its manifest, its images, and what stands of each, which `up_to_date` brings up to date."""

    dataset: Dataset
    manifest: Reference
    images: ImageIndex
    labels: LabelIndex


@dataclass(frozen=True)
class Labelling:
    """What is kept of data sets to save time: any other process can make it again."""

    catalog: Catalog
    images: ImageIndexes
    labels: LabelIndexes = field(default_factory=LabelIndexes)

    def find(self, name: str) -> LabelledImages | None:
        """A data set; None: it was never ingested.

        Raises:
            InputError: `no_dataset`.
        """
        dataset = find_dataset(self.catalog.database, name)
        manifest = self.catalog.current(MANIFEST, name)
        if manifest is None:
            return None
        images = self.images.of(manifest)
        return LabelledImages(dataset, manifest, images, self.labels.of(dataset, manifest, images))

    def require(self, name: str) -> LabelledImages:
        """Like `find`.

        Raises:
            InputError: `no_dataset`, or `not_materialized`.
        """
        found = self.find(name)
        if found is None:
            message = f"'{name}' has no images yet: run 'cv-pipelines run {name}' first."
            raise InputError("not_materialized", message)
        return found

    @contextmanager
    def up_to_date(self, found: LabelledImages) -> Iterator[None]:
        """What stands of each image by now, for nobody else meanwhile."""
        with found.labels.lock:
            with reading(self.catalog.database) as connection:
                found.labels.catch_up(connection)
            yield
