"""What pages work on: opened once per process, and held by the application."""

import os
from asyncio import Semaphore
from dataclasses import dataclass
from functools import cached_property

from fastapi import Request
from sqlalchemy import Engine

from cv_pipelines.catalog import Catalog
from cv_pipelines.database.engine import open_database
from cv_pipelines.settings import Settings
from cv_pipelines.storage.factory import open_store
from cv_pipelines.videos.shelf import Shelf
from cv_pipelines.web.image_index import ImageIndexes
from cv_pipelines.web.labelling.labelled_counts import LabelledCounts
from cv_pipelines.web.labelling.labelling import Labelling
from cv_pipelines.web.labelling.prediction_index import PredictionIndexes
from cv_pipelines.web.reviewing.agreement import Agreement

_THUMBNAIL_BYTES = 2 * 1024**3


@dataclass(frozen=True)
class Platform:
    """The catalog, and what is kept to save time: any other process can make it again.

    Attributes:
        catalog: database and object store.
        thumbnails: on this machine's disk.
        indexes: of manifests.
        labelling: what stands of images.
        decoding: held by who decodes an image, which may take hundreds of MB.
    """

    catalog: Catalog
    thumbnails: Shelf
    indexes: ImageIndexes
    labelling: Labelling
    decoding: Semaphore

    @cached_property
    def database(self) -> Engine:
        """The application database."""
        return self.catalog.database

    @property
    def agreement(self) -> Agreement:
        """How far people agree, by data set."""
        return self.labelling.agreement


def open_platform(settings: Settings) -> Platform:
    """Open database and store.

    Raises:
        InputError: one of them is not what the settings say, or has another schema.
        InfrastructureError: the database does not answer.
    """
    catalog = Catalog(open_database(settings.database), open_store(settings.store))
    shelf = Shelf(settings.cache / "thumbnails", _THUMBNAIL_BYTES, digits=2)
    indexes = ImageIndexes(catalog)
    agreement, predictions = Agreement(catalog, indexes), PredictionIndexes(catalog)
    labelling = Labelling(catalog, indexes, agreement, predictions, LabelledCounts(catalog))
    return Platform(catalog, shelf, indexes, labelling, Semaphore(os.cpu_count() or 1))


def platform_of(request: Request) -> Platform:
    """A dependency: the platform of the application."""
    platform: Platform = request.app.state.platform
    return platform
