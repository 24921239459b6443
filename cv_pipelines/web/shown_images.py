"""The images that may be shown: those of a data set that nobody has asked to forget."""

from collections.abc import Sequence

from sqlalchemy import select

from cv_pipelines.database.engine import reading
from cv_pipelines.database.tables import forgotten_images
from cv_pipelines.errors import InputError
from cv_pipelines.images.stored import StoredImages
from cv_pipelines.web.platform import Platform


def images_with(platform: Platform, dataset: str, image_id: str) -> StoredImages:
    """The images of a data set, where this is one of them, and was not forgotten: a cache may still hold it.

    Raises:
        InputError: code `not_materialized`, `missing_image` or `erased_image`.
    """
    images, shown = shown_of(platform, dataset, [image_id])
    images.require(image_id)
    if image_id not in shown:
        raise InputError("erased_image", "This image was deleted for good.")
    return images


def shown_of(platform: Platform, dataset: str, image_ids: Sequence[str]) -> tuple[StoredImages, set[str]]:
    """The images of a data set, and which ones of these are among them and were not forgotten.

    Raises:
        InputError: code `not_materialized`.
    """
    index = platform.indexes.current(dataset)
    there = {one for one, row in zip(image_ids, index.rows_of(image_ids), strict=True) if row >= 0}
    query = select(forgotten_images.c.image_id).where(forgotten_images.c.image_id.in_(there))
    with reading(platform.database) as connection:
        return index.images, there - set(connection.execute(query).scalars())
