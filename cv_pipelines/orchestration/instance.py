"""The Dagster instance of this installation."""

import os
import time
from collections.abc import Sequence

from dagster import DagsterInstance

from cv_pipelines.errors import CvError, InfrastructureError
from cv_pipelines.partitions import DATASETS, VIDEOS
from cv_pipelines.settings import ROOT, load_settings

FRESH_SECONDS = 60.0
"""A daemon writes a heartbeat every 30 seconds; one older than this is not counted on."""


def open_instance() -> DagsterInstance:
    """Open the instance whose configuration is the dagster.yaml of this checkout.

    Raises:
        InputError: a setting is wrong.
        InfrastructureError: its storage does not open.
    """
    prepare_environment()
    try:
        return DagsterInstance.get()
    except CvError:
        raise
    except Exception as error:
        message = f"Dagster's storage does not open: {error}. Look at dagster.yaml and CV_STATE."
        raise InfrastructureError("instance", message) from error


def prepare_environment() -> None:
    """Set what dagster.yaml reads; a DAGSTER_HOME that somebody has set stands."""
    state = load_settings().state
    state.mkdir(parents=True, exist_ok=True)
    os.environ["CV_STATE"] = str(state)
    os.environ.setdefault("DAGSTER_HOME", str(ROOT))
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")


def daemon_is_running(instance: DagsterInstance) -> bool:
    """Say whether a daemon that starts queued runs was alive within the last minute."""
    heartbeat = instance.get_daemon_heartbeats().get("QUEUED_RUN_COORDINATOR")
    return heartbeat is not None and time.time() - heartbeat.timestamp < FRESH_SECONDS


def add_partition(instance: DagsterInstance, dataset: str) -> None:
    """Make a data set a partition; one that is there already stays."""
    instance.add_dynamic_partitions(str(DATASETS.name), [dataset])


def delete_partition(instance: DagsterInstance, dataset: str) -> None:
    """Let the UI no longer offer a data set."""
    instance.delete_dynamic_partition(str(DATASETS.name), dataset)


def add_videos(instance: DagsterInstance, keys: Sequence[str]) -> None:
    """Make videos partitions; those that are there already stay."""
    instance.add_dynamic_partitions(str(VIDEOS.name), keys)


def delete_video(instance: DagsterInstance, key: str) -> None:
    """Let the UI no longer offer a video."""
    instance.delete_dynamic_partition(str(VIDEOS.name), key)
