"""The object store."""

from dagster import ConfigurableResource

from cv_pipelines.storage.factory import open_store
from cv_pipelines.storage.protocol import ObjectStore


class StoreResource(ConfigurableResource[ObjectStore]):
    """The store at `url`."""

    url: str

    def connect(self) -> ObjectStore:
        """Open it."""
        return open_store(self.url)
