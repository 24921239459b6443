"""A run on the terminal: a line for each finished step, a bar for the rest; in a file, lines now and then."""

import time
from collections.abc import Iterable

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from cv_pipelines.cli.output import printable
from cv_pipelines.orchestration.following import StepUpdate

_MARKS = {
    "succeeded": "[green]✓[/]",
    "warned": "[yellow]![/]",
    "failed": "[red]✗[/]",
    "retrying": "[yellow]↻[/]",
    "skipped": "[dim]–[/]",
}
LOG_SECONDS = 10.0
"""Between two lines of output that goes to no terminal, where a step takes long: its reader sees no bar."""


def show_steps(updates: Iterable[StepUpdate], total: int, console: Console) -> list[StepUpdate]:
    """Show what happens in a run; returns the last update of each step that has ended.

    Args:
        updates: as they come.
        total: number of steps.
        console: where to.
    """
    ended: dict[str, StepUpdate] = {}
    columns = (
        SpinnerColumn(),
        BarColumn(bar_width=24),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        bar, told = progress.add_task("starting", total=total), time.monotonic()
        for update in updates:
            if update.state in ("started", "progress"):
                message = f"  [dim]{escape(printable(update.message))}[/]" if update.message else ""
                progress.update(bar, description=f"{escape(update.step)}{message}")
                if message and not console.is_terminal and time.monotonic() - told >= LOG_SECONDS:
                    progress.console.print(f"… {escape(update.step):<24}{message}", soft_wrap=True)
                    told = time.monotonic()
                continue
            message = f"  {escape(printable(update.message))}" if update.message else ""
            line = f"{_MARKS[update.state]} {escape(update.step):<24} {update.seconds:6.1f} s{message}"
            progress.console.print(line, soft_wrap=True)
            told = time.monotonic()
            if update.state != "retrying":
                ended[update.step] = update
                progress.update(bar, completed=len(ended))
    return list(ended.values())
