"""Database and store as one: what steps read from and write to."""

from dagster import ConfigurableResource, ResourceDependency

from cv_pipelines.catalog import Catalog
from resources.database import DatabaseResource
from resources.store import StoreResource


class CatalogResource(ConfigurableResource[Catalog]):
    """The catalog of artefacts."""

    database: ResourceDependency[DatabaseResource]
    store: ResourceDependency[StoreResource]

    def open(self) -> Catalog:
        """Open it; cheap to repeat, for the connections are kept."""
        return Catalog(self.database.connect(), self.store.connect())
