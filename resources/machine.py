"""What the machine that runs a step lends to it."""

from pathlib import Path

from dagster import ConfigurableResource
from pydantic import Field


class MachineResource(ConfigurableResource[None]):
    """Cores and disk of this machine."""

    workers: int = Field(description="Processes that decode at ingest.")
    cache: str = Field(description="Folder of decoded images; may be deleted at any time.")

    def cache_folder(self) -> Path:
        """The cache as a path."""
        return Path(self.cache)
