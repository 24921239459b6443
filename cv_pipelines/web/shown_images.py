"""The images that may be shown: those of a data set that nobody has asked to forget."""

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
    images = platform.indexes.current(dataset).images
    images.require(image_id)
    query = select(forgotten_images.c.image_id).where(forgotten_images.c.image_id == image_id)
    with reading(platform.database) as connection:
        if connection.execute(query).first():
            raise InputError("erased_image", "This image was deleted for good.")
    return images
