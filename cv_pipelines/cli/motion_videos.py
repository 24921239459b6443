"""`cv-pipelines motion videos`, `backfill` and `remove`: the archive."""

import getpass
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

import click

from cv_pipelines.cli.backfill_view import duration_of, tell_backfill
from cv_pipelines.cli.context import open_catalog
from cv_pipelines.cli.output import console, json_option, print_json, print_table
from cv_pipelines.cli.waiting import shown_when_slow
from cv_pipelines.settings import load_settings

if TYPE_CHECKING:
    from cv_pipelines.catalog import Catalog
    from cv_pipelines.motion.results import State, Summary
    from cv_pipelines.progress import Progress
    from cv_pipelines.videos.archive import ArchivedVideo

_EMPTY = "There is no video in the archive yet: cv-pipelines motion inject SOURCE"


@click.command()
@click.option("--quarantined", is_flag=True, help="Only those that cannot be used.")
@json_option
def videos(quarantined: bool, as_json: bool) -> None:
    """List the videos of the archive: which have a result, and what is wrong with the others.

    \b
    Examples:
      cv-pipelines motion videos
      cv-pipelines motion videos --quarantined --json
    """
    with shown_when_slow() as progress:
        rows = list(_rows(open_catalog(), quarantined, progress))
    if as_json:
        print_json(rows)
    elif rows:
        columns = ["video", "state", "frames#", "static#", "reason"]
        print_table(columns, [_shown(row) for row in rows])
    else:
        console.print("No video is in quarantine." if quarantined else _EMPTY)


@click.command()
@click.option("--missing", is_flag=True, help="Those without a result.")
@click.option("--stale", is_flag=True, help="Those whose file, parameters or code have changed since.")
@click.option("--dry-run", is_flag=True, help="Only say which, and how long it may take.")
@json_option
def backfill(missing: bool, stale: bool, dry_run: bool, as_json: bool) -> None:
    """Let the daemon analyse videos of the archive; those in quarantine are left out.

    That a file has changed is known once somebody has looked: 'motion inject' does.

    \b
    Example:
      cv-pipelines motion backfill --missing --stale --dry-run
    """
    given: dict[State, bool] = {"missing": missing, "stale": stale}
    wanted = [state for state in given if given[state]]
    if not wanted:
        raise click.UsageError("Give --missing, --stale, or both.")
    from cv_pipelines.definitions import defs
    from cv_pipelines.orchestration.durations import estimate
    from cv_pipelines.orchestration.instance import daemon_is_running, open_instance
    from cv_pipelines.orchestration.video_backfills import submit_videos, under_way, video_targets

    graph = defs.resolve_asset_graph()
    lacks = " ".join(f"--{state}" for state in wanted)
    with open_instance() as instance:
        busy = under_way(instance)
        with shown_when_slow() as progress:
            states = _states(open_catalog(), progress)
            due = [video.key for video, state in states if state in wanted and video.key not in busy]
        expected = estimate(instance, video_targets(graph, due))
        command, user = f"cv-pipelines motion backfill {lacks}", getpass.getuser()
        submission = None if dry_run or not due else submit_videos(instance, graph, due, command, user)
        daemon = daemon_is_running(instance)
    if as_json:
        print_json(
            {
                "id": submission.id if submission else None,
                "due": due,
                "estimate_seconds": None if expected.unknown else round(expected.seconds, 1),
                "submitted": submission is not None and not submission.existing,
                "existing": submission is not None and submission.existing,
            }
        )
    elif submission:
        tell_backfill(submission, len(due), duration_of(expected), daemon)
    elif due:
        print_table(["would be analysed"], [[key] for key in due])
        console.print(duration_of(expected))
    else:
        others = f", apart from {len(busy):,} that are being analysed" if busy else ""
        console.print(f"Nothing to do: no video is {' or '.join(wanted)}{others}.")


@click.command()
@click.argument("name", metavar="VIDEO")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
def remove(name: str, yes: bool, as_json: bool) -> None:
    """Let the archive forget a video, by its key or its address. Its file stays where it is.

    What was made of it goes with the next 'cv-pipelines store gc'.

    \b
    Example:
      cv-pipelines motion remove s3://archive/2024/crossing.mp4 --yes
    """
    from cv_pipelines.orchestration.instance import open_instance
    from cv_pipelines.orchestration.video_removal import remove_everywhere
    from cv_pipelines.videos.archive import named_video

    database = open_catalog().database
    video = named_video(database, name)
    if not yes:
        click.confirm(f"Forget '{video.key}'? Its file ({video.address}) stays.", abort=True, err=True)
    with open_instance() as instance:
        runs = remove_everywhere(instance, database, load_settings(), video)
    if as_json:
        print_json({"video": video.key, "address": video.address, "runs": runs})
    else:
        console.print(f"Forgotten: {video.key}, with {runs:,} runs.", markup=False)


def _states(catalog: "Catalog", progress: "Progress") -> Iterator[tuple["ArchivedVideo", "State"]]:
    """All videos with how things stand."""
    from cv_pipelines.motion.results import states_of
    from cv_pipelines.videos.archive import AT_ONCE, list_archive

    left, done = list_archive(catalog.database), 0
    while some := list(islice(left, AT_ONCE)):
        states = states_of(catalog, some)
        yield from ((video, states[video.key]) for video in some)
        done += len(some)
        progress("looking at videos", done)


def _rows(catalog: "Catalog", quarantined: bool, progress: "Progress") -> Iterator[dict[str, Any]]:
    from cv_pipelines.motion.results import summaries_of
    from cv_pipelines.videos.archive import AT_ONCE

    left = (one for one in _states(catalog, progress) if not quarantined or one[1] == "quarantined")
    while some := list(islice(left, AT_ONCE)):
        known = summaries_of(catalog, [video for video, _ in some])
        for video, state in some:
            yield {
                "key": video.key,
                "address": video.address,
                "state": state,
                "frames": known[video.key].frames,
                "static_share": known[video.key].static_share,
                "bytes": video.size,
                "modified_at": video.modified_at,
                "problem": _problem(video, state, known[video.key]),
            }


def _problem(video: "ArchivedVideo", state: "State", known: "Summary") -> str:
    if state == "quarantined":
        return video.problem
    return (
        f"The motion of {known.invalid_share or 0:.0%} of its intervals is unknown." if state == "failed" else ""
    )


def _shown(row: dict[str, Any]) -> list[object]:
    share = row["static_share"]
    static = None if share is None else f"{share:.0%}"
    return [row["key"], row["state"], row["frames"], static, row["problem"]]
