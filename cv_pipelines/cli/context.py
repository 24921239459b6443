"""What commands need: opened late, so that `--help` is quick."""

from typing import TYPE_CHECKING

from cv_pipelines.settings import load_settings

if TYPE_CHECKING:
    from cv_pipelines.catalog import Catalog


def open_catalog() -> "Catalog":
    """The catalog that the settings name."""
    from cv_pipelines.catalog import Catalog
    from cv_pipelines.database.engine import open_database
    from cv_pipelines.storage.factory import open_store

    settings = load_settings()
    return Catalog(open_database(settings.database), open_store(settings.store))
