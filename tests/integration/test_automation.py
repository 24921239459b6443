"""What runs without anybody asking: on changed data by condition, by the clock by schedule."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from dagster import (
    AssetKey,
    AssetSelection,
    DagsterInstance,
    Definitions,
    build_schedule_context,
    evaluate_automation_conditions,
)

from cv_pipelines.images.datasets import add_dataset
from cv_pipelines.partitions import DATASETS
from cv_pipelines.schedules import weekly_retraining
from resources.catalog import CatalogResource
from resources.database import DatabaseResource
from resources.machine import MachineResource
from resources.manifest_io import ManifestIOManager
from resources.store import StoreResource
from resources.tasks import TasksResource
from tests.catalogs import forget_name
from tests.installation import draw_shapes

QUICK = {"ops": {"trained_model": {"config": {"epochs": 2, "batch_size": 32}}}}


@dataclass
class World:
    """The definitions over resources and an instance of their own."""

    defs: Definitions
    instance: DagsterInstance
    catalog: CatalogResource
    source: Path

    @property
    def loop(self) -> set[str]:
        """The assets of a data set, without what judges detections, which somebody has to import first."""
        graph = self.defs.resolve_asset_graph()
        every = [graph.get(key) for key in graph.materializable_asset_keys]
        mine = [one for one in every if one.partitions_def == DATASETS and one.group_name != "detections"]
        return {one.key.to_user_string() for one in mine}

    def materialize(self, *assets: str) -> bool:
        selection = [AssetKey(name) for name in assets or self.loop]
        job = self.defs.resolve_implicit_global_asset_job_def()
        result = job.execute_in_process(
            instance=self.instance,
            partition_key="shapes",
            asset_selection=selection,
            run_config=QUICK if not assets or "trained_model" in assets else {},
            raise_on_error=False,
        )
        return result.success

    def requested(self, cursor: Any) -> tuple[set[str], Any]:
        """The assets that the automation would make now."""
        result = evaluate_automation_conditions(
            self.defs, self.instance, asset_selection=AssetSelection.all(), cursor=cursor
        )
        keys = self.defs.resolve_asset_graph().materializable_asset_keys
        return {key.to_user_string() for key in keys if result.get_num_requested(key)}, result.cursor


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    from cv_pipelines import definitions

    source = draw_shapes(tmp_path / "shapes", each=12)
    database = DatabaseResource(url=f"sqlite:///{tmp_path / 'cv.sqlite'}")
    catalog = CatalogResource(database=database, store=StoreResource(url=(tmp_path / "store").as_uri()))
    resources = {
        "catalog": catalog,
        "io_manager": ManifestIOManager(catalog=catalog),
        "machine": MachineResource(workers=1, cache=str(tmp_path / "cache")),
        "tasks": TasksResource(database=database),
    }
    whole = definitions.defs
    defs = Definitions(
        assets=whole.assets,
        asset_checks=whole.asset_checks,
        jobs=whole.jobs,
        schedules=whole.schedules,
        resources=resources,
    )
    add_dataset(database.connect(), "shapes", str(source))
    (tmp_path / "dagster").mkdir()
    with DagsterInstance.local_temp(str(tmp_path / "dagster")) as instance:
        instance.add_dynamic_partitions("dataset", ["shapes"])
        yield World(defs, instance, catalog, source)


def tick(world: World) -> tuple[dict[str | None, str], str | None]:
    """What a tick of the schedule asks for, by data set with the reason, and why it skips."""
    with build_schedule_context(
        instance=world.instance,
        resources={"catalog": world.catalog},
        scheduled_execution_time=datetime(2026, 11, 23, 3, tzinfo=UTC),
        repository_def=world.defs.get_repository_def(),
    ) as context:
        data = weekly_retraining.evaluate_tick(context)
    requests = data.run_requests or []
    return {one.partition_key: one.tags["cv/reason"] for one in requests}, data.skip_message


def test_new_images_of_good_data_retrain_and_bad_data_does_not(world: World) -> None:
    assert world.materialize()
    asked, cursor = world.requested(None)
    assert asked == set(), "the loop has just run"

    assert world.materialize("image_manifest", "labels", "dataset_splits")
    asked, cursor = world.requested(cursor)
    assert asked == set(), "made again, but of the same version"

    draw_shapes(world.source, each=14, seed=7)
    assert world.materialize("image_manifest")
    asked, cursor = world.requested(cursor)
    assert asked == world.loop - {"image_manifest"}, "everything below, in one run"
    assert world.materialize(*asked)
    asked, cursor = world.requested(cursor)
    assert asked == set(), "what was asked for has been made"

    shutil.rmtree(world.source / "disc")
    shutil.rmtree(world.source / "bar")
    assert not world.materialize("image_manifest", "labels"), "a blocking check fails: one class is left"
    asked, cursor = world.requested(cursor)
    assert asked == {"predictions", "prediction_drift", "image_embeddings"}, (
        "the champion looks at what is left; nothing is trained"
    )


def test_the_schedule_runs_what_has_changed_and_says_why_it_skips(world: World) -> None:
    database = world.catalog.open().database
    assert tick(world) == ({"shapes": "no model yet"}, None)
    assert world.materialize()
    assert tick(world)[0] == {}
    assert "shapes: neither data nor labels have changed" in str(tick(world)[1])

    (world.source / "disc" / "000.png").rename(world.source / "bar" / "moved.png")
    add_dataset(database, "other", str(world.source))
    reasons = {"shapes": "the files of its source have changed", "other": "no model yet"}
    assert tick(world)[0] == reasons, "two at once"

    forget_name(database, "other")
    shutil.rmtree(world.source)
    assert "neither a folder nor a .csv file" in str(tick(world)[1])
