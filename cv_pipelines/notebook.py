"""Data sets in a notebook: what the loop has made, as tables and arrays."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from cv_pipelines.catalog import Catalog
from cv_pipelines.database.engine import open_database
from cv_pipelines.images.datasets import find_dataset
from cv_pipelines.images.decode import Pixels, decode_image
from cv_pipelines.images.loading import pixel_batches
from cv_pipelines.images.stored import StoredImages, stored_images
from cv_pipelines.settings import load_settings
from cv_pipelines.storage.bundles import Bundle
from cv_pipelines.storage.factory import open_store

if TYPE_CHECKING:
    import keras
    import pandas as pd


def open_dataset(name: str) -> "DatasetView":
    """Open a data set by its name, as it is now.

    Raises:
        InputError: there is none of this name, or nothing has been made of it yet.
    """
    settings = load_settings()
    catalog = Catalog(open_database(settings.database), open_store(settings.store))
    find_dataset(catalog.database, name)
    catalog.require("image_manifest", name)
    return DatasetView(catalog, name)


@dataclass(frozen=True)
class DatasetView:
    """What a data set's assets stand for, whenever it is asked; the model is loaded once."""

    catalog: Catalog
    name: str

    def to_pandas(self) -> "pd.DataFrame":
        """One row per image: the manifest, joined with label, split and prediction where there are some.

        Columns of the manifest, then `label`, `split`, `predicted`, `probability`, `entropy`,
        `model_version`.
        """
        table: pd.DataFrame = self._bundle("image_manifest").table("images").to_pandas()
        for asset, part, columns in (
            ("labels", "labels", ["image_id", "label"]),
            ("dataset_splits", "assignments", ["image_id", "split"]),
            (
                "predictions",
                "predictions",
                ["image_id", "predicted", "probability", "entropy", "model_version"],
            ),
        ):
            if self.catalog.current(asset, self.name) is None:
                table[columns[1:]] = None
                continue
            other = self._bundle(asset).table(part, columns).to_pandas()
            table = table.merge(other, on="image_id", how="left", validate="one_to_one")
        return table

    def image(self, image_id: str) -> Pixels:
        """One image at its own size: RGB, uint8, (height, width, 3)."""
        return decode_image(self._images.read(image_id))

    def batches(self, image_ids: list[str], size: int, batch: int = 64) -> Iterator[Pixels]:
        """Many images, stretched: RGB, uint8, (at most batch, size, size, 3)."""
        return pixel_batches(self._images, image_ids, size, batch)

    @cached_property
    def model(self) -> "keras.Model":
        """The champion: images (n, size, size, 3), 0 to 255, to probabilities (n, classes)."""
        from cv_pipelines.models.inference import open_model

        return open_model(self._bundle("champion_model"))

    @property
    def image_size(self) -> int:
        """The side in pixels of the images that the champion takes."""
        return int(self._bundle("champion_model").facts["image_size"])

    @property
    def classes(self) -> list[str]:
        """The classes that the champion tells apart, in the order of its output."""
        classes: list[str] = self._bundle("champion_model").facts["classes"]
        return classes

    @property
    def _images(self) -> StoredImages:
        return stored_images(self._bundle("image_manifest"))

    def _bundle(self, asset: str) -> Bundle:
        return self.catalog.open(self.catalog.require(asset, self.name))
