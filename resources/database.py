"""The application database."""

from dagster import ConfigurableResource
from sqlalchemy import Engine

from cv_pipelines.database.engine import open_database


class DatabaseResource(ConfigurableResource[Engine]):
    """Connections to the database at `url`."""

    url: str

    def connect(self) -> Engine:
        """Open it, and make sure that its schema fits."""
        return open_database(self.url)
