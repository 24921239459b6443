"""`cv-pipelines motion inject`: videos into the archive, and those analysed that need it."""

import getpass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from cv_pipelines.cli.ages import AGE
from cv_pipelines.cli.backfill_view import duration_of, tell_backfill
from cv_pipelines.cli.context import open_catalog
from cv_pipelines.cli.output import console, json_option, print_json, print_table
from cv_pipelines.cli.waiting import shown_when_slow

if TYPE_CHECKING:
    from cv_pipelines.motion.injection import Found
    from cv_pipelines.orchestration.backfills import Submission
    from cv_pipelines.orchestration.durations import Estimate

_SHOWN = 20


@click.command()
@click.argument("source")
@click.option("--since", type=AGE, metavar="AGE", help="Only files that changed within this time, such as 30d.")
@click.option("--count", type=click.IntRange(1), help="Look until so many have to be analysed.")
@click.option("--force", is_flag=True, help="Analyse all again, those that cannot be used, too.")
@click.option("--dry-run", is_flag=True, help="Only say what would happen.")
@json_option
def inject(source: str, since: float | None, count: int | None, force: bool, dry_run: bool, as_json: bool) -> None:
    """Take the videos of SOURCE into the archive, and have those analysed that were not, or have changed.

    SOURCE is a folder, s3://bucket/prefix, a single video, or a .txt or .csv file with an address in each line.
    The daemon analyses them; the UI shows its progress under Runs > Backfills. What has a result stays as it is,
    and a video that is bad is not tried again until its file changes.

    \b
    Examples:
      cv-pipelines motion inject /films --since 30d
      cv-pipelines motion inject s3://archive/2024 --count 100 --dry-run
    """
    from cv_pipelines.definitions import defs
    from cv_pipelines.motion.injection import take_in
    from cv_pipelines.orchestration.durations import estimate
    from cv_pipelines.orchestration.instance import add_videos, daemon_is_running, open_instance
    from cv_pipelines.orchestration.video_backfills import submit_videos, under_way, video_targets
    from cv_pipelines.remote.locations import normal_location
    from cv_pipelines.videos.listing import changed_within, list_videos

    listing = list_videos(source)
    if since is not None:
        listing = changed_within(listing, timedelta(seconds=since), datetime.now(UTC))
    graph = defs.resolve_asset_graph()
    with open_instance() as instance:
        with shown_when_slow() as progress:
            entered, busy = partial(add_videos, instance), under_way(instance)
            found = take_in(
                open_catalog(),
                listing,
                entered,
                busy=busy,
                count=count,
                force=force,
                pretend=dry_run,
                progress=progress,
            )
        expected = estimate(instance, video_targets(graph, found.due))
        command = f"cv-pipelines motion inject {normal_location(source)}{' --force' if force else ''}"
        asked = found.due and not dry_run
        submission = (
            submit_videos(instance, graph, found.due, command, getpass.getuser(), force) if asked else None
        )
        daemon = daemon_is_running(instance)
    if as_json:
        print_json(_summary(found, expected, submission))
        return
    _tell(found, dry_run, force, expected)
    if submission:
        tell_backfill(submission, len(found.due), duration_of(expected), daemon)


def _summary(found: "Found", expected: "Estimate", submission: "Submission | None") -> dict[str, Any]:
    return {
        **vars(found),
        "refused": [{"address": address, "reason": reason} for address, reason in found.refused],
        "estimate_seconds": None if expected.unknown else round(expected.seconds, 1),
        "id": submission.id if submission else None,
        "submitted": submission is not None and not submission.existing,
        "existing": submission is not None and submission.existing,
    }


def _tell(found: "Found", dry_run: bool, force: bool, expected: "Estimate") -> None:
    if not found.videos and not found.refused:
        console.print("There are no videos.")
        return
    would = "would be analysed" if dry_run else "to analyse"
    rows = [
        ("videos", found.videos),
        ("new", found.new),
        ("changed", found.changed),
        ("with a result that stands", found.current),
        ("in quarantine, and not changed since", found.quarantined),
        ("with too little motion that is known", found.failed),
        ("being analysed already", found.under_way),
        (would, len(found.due)),
    ]
    print_table(["", "#"], [row for row in rows if row[1] or row[0] in ("videos", would)])
    if found.refused:
        console.print(f"{len(found.refused):,} cannot be taken in:", style="yellow")
        print_table(["address", "reason"], found.refused[:_SHOWN])
    if (found.quarantined or found.failed) and not force:
        console.print("'cv-pipelines motion videos' shows what is wrong; --force tries them again.")
    if dry_run and found.due:
        print_table(["would be analysed"], [[key] for key in found.due[:_SHOWN]])
        if len(found.due) > _SHOWN:
            console.print(f"… and {len(found.due) - _SHOWN:,} more.")
        console.print(duration_of(expected))
