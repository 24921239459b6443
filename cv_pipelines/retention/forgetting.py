"""Forgetting an image because a person asks for it: no byte of it stays, and it does not come back."""

from sqlalchemy import Engine, select
from sqlalchemy.exc import IntegrityError

from cv_pipelines.annotations.store.events import Author, erase, writing
from cv_pipelines.catalog import Catalog
from cv_pipelines.database.label_tables import label_events
from cv_pipelines.database.tables import forgotten_images
from cv_pipelines.images.datasets import list_datasets
from cv_pipelines.images.omission import without_images
from cv_pipelines.images.versions import MANIFEST, keep_version, kept_version


def refuse_from_now_on(database: Engine, image_id: str, who: str, why: str) -> None:
    """Let no ingest take an image in any more; saying so again changes nothing.

    The first step: whatever is deleted after it cannot be read in again.
    """
    try:
        with database.begin() as connection:
            connection.execute(forgotten_images.insert().values(image_id=image_id, who=who, why=why))
    except IntegrityError:
        pass  # a person has said so before


def forget_labels(database: Engine, image_id: str, who: str) -> None:
    """Erase what was said of an image in any data set; saying so again changes nothing."""
    with database.connect() as connection:
        named = select(label_events.c.dataset).where(label_events.c.image_id == image_id).distinct()
        concerned = list(connection.scalars(named))
    for dataset in concerned:
        with writing(database, dataset) as connection:
            erase(connection, dataset, image_id, Author(who, note="forgotten"))


def leave_out(catalog: Catalog, image_id: str) -> dict[str, str]:
    """Give every data set that stands at a version with an image a new version without it.

    Returns:
        The new version by the name of the data set.
    """
    changed = {}
    for dataset in list_datasets(catalog.database):
        standing = kept_version(catalog, dataset) or catalog.current(MANIFEST, dataset.name)
        if standing is None:
            continue
        without = without_images(catalog, standing, {image_id})
        if without != standing:
            catalog.publish(MANIFEST, dataset.name, without)
            if dataset.restored is not None:  # a person has gone back to it; the new one takes its place
                keep_version(catalog.database, dataset.name, without.version)
            changed[dataset.name] = without.version
    return changed
