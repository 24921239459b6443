"""Telling Dagster of what was made outside a run: what follows from it is stale now."""

from dagster import AssetKey, AssetMaterialization, AssetRecordsFilter, DagsterInstance
from dagster._core.definitions.data_version import DATA_VERSION_TAG


def report_champion(instance: DagsterInstance, dataset: str, version: str) -> None:
    """A person has named another champion."""
    report_version(instance, "champion_model", dataset, version, "Named by a person.")


def report_version(instance: DagsterInstance, asset: str, dataset: str, version: str, why: str) -> None:
    """A person has made something else the present version of an asset's partition."""
    instance.report_runless_asset_event(
        AssetMaterialization(
            AssetKey(asset),
            description=why,
            partition=dataset,
            metadata={"version": version},
            tags={DATA_VERSION_TAG: version},
        )
    )


def reported_version(instance: DagsterInstance, asset: str, dataset: str) -> str | None:
    """The version that Dagster takes for the present one of an asset's partition."""
    wanted = AssetRecordsFilter(AssetKey(asset), asset_partitions=[dataset])
    records = instance.fetch_materializations(wanted, limit=1).records
    event = records[0].asset_materialization if records else None
    return (event.tags or {}).get(DATA_VERSION_TAG) if event else None
