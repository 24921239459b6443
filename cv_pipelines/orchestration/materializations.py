"""Telling Dagster of what was made outside a run."""

from dagster import AssetKey, AssetMaterialization, DagsterInstance
from dagster._core.definitions.data_version import DATA_VERSION_TAG


def report_champion(instance: DagsterInstance, dataset: str, version: str) -> None:
    """A person has named another champion: predictions made with the one before are stale now."""
    instance.report_runless_asset_event(
        AssetMaterialization(
            AssetKey("champion_model"),
            description="Named by a person.",
            partition=dataset,
            metadata={"champion": version},
            tags={DATA_VERSION_TAG: version},
        )
    )
