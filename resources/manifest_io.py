"""How assets hand over: a small reference, published in the catalog; nothing is pickled."""

from dagster import ConfigurableIOManager, InputContext, OutputContext, ResourceDependency

from cv_pipelines.execution.failures import mapped_errors
from cv_pipelines.storage.bundles import Reference
from resources.catalog import CatalogResource


class ManifestIOManager(ConfigurableIOManager):
    """Publishes what an asset's partition has become; hands out what it stands for now."""

    catalog: ResourceDependency[CatalogResource]

    def handle_output(self, context: OutputContext, obj: Reference) -> None:
        """Make the reference the current one of this asset and partition."""
        with mapped_errors():
            asset = context.asset_key.to_user_string()
            self.catalog.open().publish(asset, context.partition_key, obj, context.run_id)

    def load_input(self, context: InputContext) -> Reference:
        """The current reference of the asset above."""
        with mapped_errors():
            return self.catalog.open().require(context.asset_key.to_user_string(), context.asset_partition_key)
