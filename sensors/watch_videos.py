"""Asking for the analysis of videos that have come into a folder or prefix, or have changed there."""

import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from dagster import (
    RunRequest,
    RunsFilter,
    SensorDefinition,
    SensorEvaluationContext,
    SensorResult,
    SkipReason,
    sensor,
)
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition
from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES

from cv_pipelines.background import Background
from cv_pipelines.catalog import Catalog
from cv_pipelines.errors import InputError
from cv_pipelines.hashing import hash_values
from cv_pipelines.motion.injection import take_in
from cv_pipelines.motion.results import MOTION, wanted_of
from cv_pipelines.orchestration.instance import add_videos
from cv_pipelines.orchestration.video_backfills import under_way
from cv_pipelines.remote.locations import scheme_of
from cv_pipelines.videos.archive import find_video_of_archive
from cv_pipelines.videos.listing import ListedVideo, list_videos
from resources.catalog import CatalogResource

SECONDS = 15.0
"""No source is begun later in a tick, and none is waited for longer: Dagster ends a tick after 60 s."""
MOST_RUNS = 20
"""Of this sensor in the queue or at work: the others wait in the archive, where they cost nothing."""


def make_video_sensor(
    job: UnresolvedAssetJobDefinition, sources: Sequence[str], seconds: float = SECONDS, most: int = MOST_RUNS
) -> SensorDefinition:
    """A sensor that looks at folders and prefixes; off until switched on.

    What it has seen is in the archive: a video is analysed once two ticks have seen the same version of it, for a
    file that is still being written is no video yet. The cursor is the key of the video that was asked for last.

    Args:
        job: analyses one video.
        sources: folders and `s3://bucket/prefix`.
        seconds: how long a tick goes on to new sources, and how long it waits for one.
        most: runs that may be on their way at once.
    """
    listings = Background(watched)

    @sensor(
        name="watch_videos",
        job=job,
        minimum_interval_seconds=30,
        description="Analyses videos below CV_VIDEO_SOURCES as soon as they stay the same from tick to tick.",
    )
    def watch_videos(context: SensorEvaluationContext, catalog: CatalogResource) -> SensorResult | SkipReason:
        if not sources:
            return SkipReason("CV_VIDEO_SOURCES names no folder and no prefix.")
        cat, last = catalog.open(), context.cursor or ""
        due, notes = _look(context, cat, sources, listings, seconds)
        on_their_way = RunsFilter(job_name=job.name, statuses=NOT_FINISHED_STATUSES)
        room = max(0, most - context.instance.get_runs_count(on_their_way))
        asked = sorted(due, key=lambda key: (key <= last, key))[:room]
        requests = [request_of(cat, key) for key in asked]
        if due and not room:
            notes.append(f"{len(due):,} videos wait until one of {most} runs has ended")
        quiet = None if requests else SkipReason("; ".join(notes) or "No video is new or has changed.")
        return SensorResult(requests, skip_reason=quiet, cursor=asked[-1] if asked else last)

    return watch_videos


def _look(
    context: SensorEvaluationContext,
    catalog: Catalog,
    sources: Sequence[str],
    listings: Background[list[ListedVideo]],
    seconds: float,
) -> tuple[set[str], list[str]]:
    """Enter what is found into the archive; keys of what has to be analysed, and what a person should know."""
    due, notes, until = set[str](), list[str](), time.monotonic() + seconds
    entered, busy = partial(add_videos, context.instance), under_way(context.instance)
    for source in sources:
        if time.monotonic() > until:
            notes.append(f"{source} is looked at in the next tick")
            break
        try:
            found = take_in(catalog, listings.listing(source, seconds), entered, busy=busy, settled=True)
        except Exception as error:  # noqa: BLE001 - it is told, and must not hamper the other sources
            notes.append(f"{source} cannot be looked at: {error}")
            context.log.warning(notes[-1])
            continue
        due.update(found.due)
        notes += [f"{address} cannot be taken in: {reason}" for address, reason in found.refused[:1]]
        if found.new or found.changed:
            notes.append(f"{source}: {found.new + found.changed:,} are new, and may still be changing")
    return due, notes


def watched(source: str) -> list[ListedVideo]:
    """The videos of a folder or a prefix.

    Raises:
        InputError: it is neither: an address that is on no list that can be looked at all the time.
    """
    if scheme_of(source) != "s3" and not Path(source).expanduser().is_dir():
        message = (
            "it is no folder that is there, and no s3://bucket/prefix; 'cv-pipelines motion inject' takes others"
        )
        raise InputError("no_source", message)
    return list(list_videos(source))


def request_of(catalog: Catalog, key: str) -> RunRequest:
    """Ask for the analysis of a video; the key of its run is good for this version of it, and once."""
    video, history = find_video_of_archive(catalog.database, key), catalog.history(MOTION, key, limit=1)
    wanted = hash_values({"result": wanted_of(video), "added": video.added_at.isoformat()})[:16]
    run_key = f"{key}:{wanted}:{history[0].id if history else 0}"
    return RunRequest(run_key, partition_key=key, tags={"cv/reason": "its file is new or has changed"})
