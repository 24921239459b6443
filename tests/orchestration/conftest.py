"""Instances of Dagster on both storages, and quick assets that stand for the real ones."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from dagster import (
    AssetExecutionContext,
    AssetKey,
    DagsterInstance,
    DataVersion,
    Definitions,
    MaterializeResult,
    asset,
    define_asset_job,
)
from dagster._core.definitions.assets.graph.asset_graph import AssetGraph

from cv_pipelines.images.datasets import Dataset
from cv_pipelines.partitions import DATASETS

LONG_AGO = datetime.now(UTC) - timedelta(days=1)


@asset(partitions_def=DATASETS, code_version="1")
def pictures(context: AssetExecutionContext) -> MaterializeResult[None]:
    """What others are made of: another version in every run."""
    return MaterializeResult(data_version=DataVersion(context.run.run_id))


@asset(partitions_def=DATASETS, deps=[pictures], code_version="1")
def names(context: AssetExecutionContext) -> None:
    """Made of the pictures; fails where it is told to."""
    if "fail" in context.run.tags:
        raise RuntimeError("as it was told to")


@asset
def summary() -> None:
    """Not made data set by data set."""


ALL = define_asset_job("all", [pictures, names])


@dataclass(frozen=True)
class World:
    """Assets and the instance that they are made on."""

    defs: Definitions
    instance: DagsterInstance

    @property
    def graph(self) -> AssetGraph:
        return self.defs.resolve_asset_graph()

    def make(self, partition: str, *assets: str, tags: dict[str, str] | None = None) -> bool:
        """Make assets of one partition, all without names; returns whether that went well."""
        self.instance.add_dynamic_partitions("dataset", [partition])
        selection = [AssetKey(name) for name in assets] or None
        job = self.defs.resolve_job_def("all")
        return job.execute_in_process(
            instance=self.instance,
            partition_key=partition,
            asset_selection=selection,
            tags=tags,
            raise_on_error=False,
        ).success


def datasets(*names: str, created_at: datetime = LONG_AGO) -> list[Dataset]:
    return [Dataset(name, f"/{name}", (), created_at) for name in names]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """The quick assets on an instance in a folder."""
    with open_instance(tmp_path, {"sqlite": {"base_dir": str(tmp_path)}}) as instance:
        yield World(Definitions(assets=[pictures, names, summary], jobs=[ALL]), instance)


@pytest.fixture(params=["sqlite", "postgres"])
def instance(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[DagsterInstance]:
    """An instance with nothing in it, on each of the two storages."""
    folder = tmp_path / "instance"
    folder.mkdir()
    storage: dict[str, Any] = {"sqlite": {"base_dir": str(folder)}}
    if request.param == "postgres":
        url = request.getfixturevalue("postgres").new_database().replace("+psycopg:", "+psycopg2:")
        storage = {"postgres": {"postgres_url": url}}
    with open_instance(folder, storage) as made:
        yield made


def open_instance(folder: Path, storage: dict[str, Any]) -> DagsterInstance:
    (folder / "dagster.yaml").write_text(yaml.safe_dump({"storage": storage, "telemetry": {"enabled": False}}))
    return DagsterInstance.from_config(str(folder))
