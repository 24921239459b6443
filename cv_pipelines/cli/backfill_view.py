"""What a person is told of a backfill."""

from typing import TYPE_CHECKING

from cv_pipelines.cli.output import console
from cv_pipelines.settings import load_settings

if TYPE_CHECKING:
    from cv_pipelines.orchestration.backfills import Submission
    from cv_pipelines.orchestration.durations import Estimate


def duration_of(expected: "Estimate") -> str:
    """An estimate in words."""
    minutes, seconds = divmod(round(expected.seconds), 60)
    known = f"about {f'{minutes} min ' if minutes else ''}{seconds} s of work, judged by earlier steps"
    if not expected.unknown:
        return f"Estimate: {known}."
    unknown = f"nothing is known of {', '.join(expected.unknown)}, never made before"
    return f"Estimate: {known}; {unknown}." if expected.seconds else f"Estimate: {unknown}."


def tell_backfill(submission: "Submission", partitions: int, duration: str, daemon: bool) -> None:
    """Say what was asked for, and what happens next.

    Args:
        submission: of the backfill.
        partitions: how many it makes.
        duration: an estimate in words.
        daemon: whether one is running.
    """
    if submission.existing:
        console.print(f"Backfill {submission.id} is already at work on this: nothing was added.")
    else:
        console.print(f"Backfill {submission.id}: {partitions:,} partitions. {duration}")
    if daemon:
        ui = str(load_settings().ui_url).rstrip("/")
        console.print(f"It is on its way: {ui}/runs/b/{submission.id}", soft_wrap=True)
    else:
        console.print("It is recorded, but no daemon is running: start 'make dev', and it begins.", style="yellow")
