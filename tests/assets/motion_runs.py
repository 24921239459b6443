"""Runs of the assets of motion in this process, with a database, a store and an instance of their own."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dagster import (
    AssetKey,
    AssetMaterialization,
    DagsterInstance,
    Definitions,
    ExecuteInProcessResult,
    in_process_executor,
)

from assets.checks import VIDEO_CHECKS
from assets.motion import camera_motion, motion_regions, static_proof, static_thumbnails, video_catalog
from cv_pipelines.catalog import Catalog
from cv_pipelines.database.engine import open_database
from cv_pipelines.jobs import analyse_motion
from cv_pipelines.storage.local import LocalStore
from cv_pipelines.videos.archive import ArchivedVideo, find_video_of_archive, register_videos
from cv_pipelines.videos.listing import ListedVideo
from resources.catalog import CatalogResource
from resources.database import DatabaseResource
from resources.machine import MachineResource
from resources.manifest_io import ManifestIOManager
from resources.store import StoreResource

ASSETS = ("video_catalog", "camera_motion", "motion_regions", "static_thumbnails")
UP_TO_MOTION = ASSETS[:2]
_JOB = "analyse_motion"


@dataclass(frozen=True)
class Archive:
    """An archive in a folder."""

    folder: Path
    instance: DagsterInstance
    workers: int = 1

    @property
    def database_url(self) -> str:
        return f"sqlite:///{self.folder / 'cv.sqlite'}"

    @property
    def catalog(self) -> Catalog:
        return Catalog(open_database(self.database_url), LocalStore(self.folder / "store"))

    def add(self, file: Path) -> str:
        """Take a video in; returns its key."""
        found = ListedVideo(str(file), file.name, None)
        ((registered,),) = register_videos(self.catalog.database, [found])
        self.instance.add_dynamic_partitions("video", [registered.video.key])
        return registered.video.key

    def video(self, key: str) -> ArchivedVideo:
        return find_video_of_archive(self.catalog.database, key)

    def run(
        self, key: str, config: Mapping[str, Mapping[str, Any]] | None = None, only: Sequence[str] = ()
    ) -> ExecuteInProcessResult:
        """Analyse a video; `config` by asset."""
        given = {"ops": {asset: {"config": dict(values)} for asset, values in (config or {}).items()}}
        job = self._definitions().resolve_job_def(_JOB)
        return job.execute_in_process(
            given,
            instance=self.instance,
            partition_key=key,
            raise_on_error=False,
            asset_selection=[AssetKey(asset) for asset in only] or None,
        )

    def prove(self, **config: Any) -> ExecuteInProcessResult:
        """Set videos side by side."""
        job = self._definitions().resolve_implicit_global_asset_job_def()
        return job.execute_in_process(
            {"ops": {"static_proof": {"config": config}}},
            instance=self.instance,
            raise_on_error=False,
            asset_selection=[AssetKey("static_proof")],
        )

    def _definitions(self) -> Definitions:
        store = StoreResource(url=(self.folder / "store").as_uri())
        catalog = CatalogResource(database=DatabaseResource(url=self.database_url), store=store)
        machine = MachineResource(workers=self.workers, cache=str(self.folder / "cache"))
        io_manager = ManifestIOManager(catalog=catalog)
        return Definitions(
            assets=[video_catalog, camera_motion, motion_regions, static_thumbnails, static_proof],
            asset_checks=VIDEO_CHECKS,
            jobs=[analyse_motion],
            resources={"catalog": catalog, "io_manager": io_manager, "machine": machine},
            executor=in_process_executor,
        )


def materialized(run: ExecuteInProcessResult) -> dict[str, AssetMaterialization]:
    """What each asset has told in a run."""
    found = (event.materialization for event in run.get_asset_materialization_events())
    return {one.asset_key.to_user_string(): one for one in found}


def checks(run: ExecuteInProcessResult) -> dict[str, bool]:
    """What the checks of a run came to."""
    return {one.check_name: one.passed for one in run.get_asset_check_evaluations()}


def steps(run: ExecuteInProcessResult) -> list[str]:
    """The steps that have succeeded, in their order."""
    return [event.step_key for event in run.all_events if event.is_step_success and event.step_key]


def failure(run: ExecuteInProcessResult, step: str) -> str:
    """Why a step has failed, for people."""
    (event,) = [event for event in run.all_events if event.is_step_failure and event.step_key == step]
    return str(event.step_failure_data.user_failure_data.description)  # type: ignore[union-attr]


def main(folder: str, file: str) -> None:
    """Analyse a video in a process of its own, which may be killed."""
    with DagsterInstance.ephemeral() as instance:
        archive = Archive(Path(folder), instance)
        assert archive.run(archive.add(Path(file)), only=UP_TO_MOTION).success


if __name__ == "__main__":
    main(*sys.argv[1:])
