"""`cv-pipelines motion analyse`: one video, without Dagster."""

import os
import platform
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from cv_pipelines.cli.output import console, errors
from cv_pipelines.errors import InputError
from cv_pipelines.progress import Progress as Listener

if TYPE_CHECKING:
    from cv_pipelines.motion.analysis import MotionPlan

_INTERRUPTED = 130


@click.command()
@click.argument("address", metavar="VIDEO")
@click.option(
    "--stride", type=click.IntRange(1, 1000), default=1, show_default=True, help="Frames to the next interval."
)
@click.option(
    "--start", type=click.IntRange(1), default=1, show_default=True, help="The first frame; they count from 1."
)
@click.option("--stop", type=click.IntRange(1), help="The last frame.")
@click.option(
    "--threads", type=click.IntRange(1), default=os.cpu_count() or 1, show_default=True, help="Cores to use."
)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="A .parquet or .json file.")
@click.option("--force", is_flag=True, help="Analyse again what is there already.")
def analyse(
    address: str, stride: int, start: int, stop: int | None, threads: int, out: Path | None, force: bool
) -> None:
    """Find how the camera moves in VIDEO, between each frame and the next.

    VIDEO is a file, s3://bucket/key or http(s)://… The result is the same whatever the number of threads.
    Interrupted with Ctrl-C it ends cleanly; started again it goes on where it was.

    \b
    Examples:
      cv-pipelines motion analyse film.mp4
      cv-pipelines motion analyse film.mp4 --stride 10 --out film.json
    """
    from cv_pipelines.motion.analysis import analyse_motion, forget_chunks, plan_motion
    from cv_pipelines.motion.files import require_format, write_motion
    from cv_pipelines.motion.parameters import MotionParameters
    from cv_pipelines.motion.published.motion_files import Effort
    from cv_pipelines.settings import load_settings
    from cv_pipelines.storage.local import LocalStore
    from cv_pipelines.videos.video import find_video

    if stop is not None and stop <= start:
        raise InputError("no_interval", f"--stop {stop} is not after --start {start}.")
    video = find_video(address)
    path = out or Path(f"{Path(video.name).stem}.motion.parquet")
    require_format(path, video.name, stride)
    started, clock = datetime.now(UTC), time.perf_counter()
    parameters = MotionParameters(stride=stride, start=start, stop=stop or 0)
    store = LocalStore(load_settings().cache / "motion")
    try:
        with _bar() as progress:
            plan = plan_motion(video, parameters)
            if force:
                forget_chunks(plan, store)
            table = analyse_motion(plan, store, threads, progress)
    except KeyboardInterrupt:
        errors.print("Interrupted: the same command goes on where this one was.")
        sys.exit(_INTERRUPTED)
    seconds = time.perf_counter() - clock
    effort = Effort(
        seconds, started, datetime.now(UTC), platform.node(), platform.processor() or platform.machine()
    )
    write_motion(table, path, effort)
    forget_chunks(plan, store)
    invalid = table.num_rows - int(sum(table["valid"].to_pylist()))
    console.print(_summary(plan, table.num_rows, invalid, seconds), markup=False)
    console.print(str(path), markup=False, soft_wrap=True)


def _summary(plan: "MotionPlan", intervals: int, invalid: int, seconds: float) -> str:
    analysed = sum(chunk.new for chunk in plan.chunks)
    unknown = f", {invalid:,} without a motion that can be known" if invalid else ""
    return f"{intervals:,} intervals{unknown}; {seconds:.1f} s, {analysed / seconds:,.0f} frames a second."


@contextmanager
def _bar() -> Iterator[Listener]:
    """A bar with frames a second and the time that is left; without a terminal, a line now and then."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,.0f} of {task.total:,.0f}"),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as bars:
        bar = bars.add_task("listing frames", total=None, rate="", visible=False)
        begun: tuple[float, int] | None = None
        told = time.monotonic()

        def tell(stage: str, done: int, total: int | None = None) -> None:
            nonlocal begun, told
            now = time.monotonic()
            begun = begun or (now, done)
            speed = (done - begun[1]) / (now - begun[0]) if now > begun[0] else 0
            rate = f"{speed:,.0f} frames/s" if speed else ""
            bars.update(bar, description=stage, completed=done, total=total, rate=rate, visible=True)
            if not errors.is_terminal and now - told > 10:
                told = now
                errors.print(f"{stage}: {done:,} of {total:,}  {rate}")

        yield tell
