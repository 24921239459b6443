"""What labelling works on, opened once per process, and one data set of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from cv_pipelines.catalog import Catalog
from cv_pipelines.database.engine import reading
from cv_pipelines.errors import InputError
from cv_pipelines.images.datasets import Dataset, find_dataset
from cv_pipelines.images.quarantine import QuarantinedFile, files_of
from cv_pipelines.images.versions import MANIFEST
from cv_pipelines.models.similarity import Embeddings, open_embeddings
from cv_pipelines.storage.bundles import Bundle, Reference
from cv_pipelines.web.image_index import ImageIndex, ImageIndexes, Rows
from cv_pipelines.web.kept import Kept
from cv_pipelines.web.labelling.label_index import LabelIndex, LabelIndexes
from cv_pipelines.web.labelling.labelled_counts import LabelledCounts
from cv_pipelines.web.labelling.prediction_index import PredictionIndex, PredictionIndexes
from cv_pipelines.web.reviewing.agreement import Agreement

ASKED, EMBEDDINGS = "label_queue", "image_embeddings"


@dataclass(frozen=True)
class PlacedEmbeddings:
    """Embeddings, and the row of each of their images; -1: the data set does not have it any more."""

    embeddings: Embeddings
    rows: Rows


@dataclass(frozen=True)
class LabelledImages:
    """A data set.

    Attributes:
        dataset: its record.
        manifest: which version of its images.
        images: these.
        predictions: what the champion says of each; None: nothing yet.
        labels: what stands of each, which `up_to_date` brings up to date.
    """

    dataset: Dataset
    manifest: Reference
    images: ImageIndex
    predictions: PredictionIndex | None
    labels: LabelIndex

    @property
    def name(self) -> str:
        """Of the data set."""
        return self.dataset.name


@dataclass(frozen=True)
class Labelling:
    """What is kept of data sets to save time: any other process can make it again."""

    catalog: Catalog
    images: ImageIndexes
    agreement: Agreement
    predictions: PredictionIndexes
    counts: LabelledCounts
    labels: LabelIndexes = field(default_factory=LabelIndexes)
    _asked: Kept[str, list[str]] = field(default_factory=Kept)
    _quarantined: Kept[str, list[QuarantinedFile]] = field(default_factory=Kept)
    _embedded: Kept[tuple[str, str], PlacedEmbeddings] = field(
        default_factory=lambda: Kept(2)
    )  # a GB each, perhaps

    def find(self, name: str, suggesting: bool = True) -> LabelledImages | None:
        """A data set, without predictions unless it is for `suggesting`; None: it was never ingested.

        Raises:
            InputError: `no_dataset`.
        """
        dataset = find_dataset(self.catalog.database, name)
        manifest = self.catalog.current(MANIFEST, name)
        if manifest is None:
            return None
        images = self.images.of(manifest)
        predictions = self.predictions.current(name, manifest, images) if suggesting else None
        labels = self.labels.of(dataset, manifest, images)
        return LabelledImages(dataset, manifest, images, predictions, labels)

    def require(self, name: str, suggesting: bool = True) -> LabelledImages:
        """Like `find`.

        Raises:
            InputError: `no_dataset`, or `not_materialized`.
        """
        found = self.find(name, suggesting)
        if found is None:
            message = f"'{name}' has no images yet: run 'cv-pipelines run {name}' first."
            raise InputError("not_materialized", message)
        return found

    def asked(self, name: str) -> list[str]:
        """The images that are to be labelled next, as the loop of active learning asks for them."""
        reference = self.catalog.current(ASKED, name)
        if reference is None:
            return []
        return self._asked.of(reference.key, lambda: _in_rank(self.catalog.open(reference)))

    def quarantined(self, manifest: Reference) -> list[QuarantinedFile]:
        """The files that a version of a data set does not use, by path."""
        return self._quarantined.of(manifest.key, lambda: files_of(self.catalog.open(manifest)))

    def embedded(self, found: LabelledImages) -> PlacedEmbeddings | None:
        """Where the champion sees the images of a data set; None: it has not looked at them yet."""
        reference = self.catalog.current(EMBEDDINGS, found.name)
        if reference is None:
            return None

        def read() -> PlacedEmbeddings:
            embeddings = open_embeddings(self.catalog, reference)
            return PlacedEmbeddings(embeddings, found.images.rows_of(embeddings.image_ids.to_pylist()))

        return self._embedded.of((found.manifest.key, reference.key), read)

    @contextmanager
    def up_to_date(self, found: LabelledImages) -> Iterator[None]:
        """What stands of each image by now, for nobody else meanwhile."""
        with found.labels.lock:
            with reading(self.catalog.database) as connection:
                found.labels.catch_up(connection)
            yield


def _in_rank(bundle: Bundle) -> list[str]:
    table = bundle.table("queue", ["rank", "image_id"]).sort_by("rank")
    images: list[str] = table["image_id"].to_pylist()
    return images
