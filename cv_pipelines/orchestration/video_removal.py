"""Removing a video from the archive: its record, its partition, its runs with their pictures."""

from dagster import DagsterInstance
from sqlalchemy import Engine

from cv_pipelines.errors import InputError
from cv_pipelines.orchestration.instance import delete_video
from cv_pipelines.orchestration.local_runs import run_in_progress
from cv_pipelines.orchestration.lost_runs import end_lost_runs
from cv_pipelines.orchestration.run_deletion import delete_runs, runs_of
from cv_pipelines.orchestration.video_backfills import under_way
from cv_pipelines.settings import Settings
from cv_pipelines.videos.archive import ArchivedVideo, remove_video


def remove_everywhere(
    instance: DagsterInstance, database: Engine, settings: Settings, video: ArchivedVideo
) -> int:
    """Remove a video; its record goes last, so that until then this can be repeated.

    Returns:
        How many runs went with it.

    Raises:
        InputError: code `busy`: a run is at work on it, or a backfill is about to make it.
    """
    end_lost_runs(instance)
    run = run_in_progress(instance, video.key, queued=True)
    if run is not None or video.key in under_way(instance):
        who = f"Run {run}" if run else "A backfill"
        message = f"{who} is at work on '{video.key}', or about to be: wait until it has ended, or cancel it."
        raise InputError("busy", message)
    runs = runs_of(instance, video.key)
    delete_runs(instance, runs, settings.state / "logs")
    delete_video(instance, video.key)
    remove_video(database, video.key)
    return len(runs)
