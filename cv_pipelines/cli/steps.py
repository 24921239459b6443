"""A run on the terminal: a line for each finished step, a bar for the rest."""

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
        bar = progress.add_task("starting", total=total)
        for update in updates:
            if update.state in ("started", "progress"):
                message = f"  [dim]{escape(printable(update.message))}[/]" if update.message else ""
                progress.update(bar, description=f"{escape(update.step)}{message}")
                continue
            message = f"  {escape(printable(update.message))}" if update.message else ""
            line = f"{_MARKS[update.state]} {escape(update.step):<24} {update.seconds:6.1f} s{message}"
            progress.console.print(line, soft_wrap=True)
            if update.state != "retrying":
                ended[update.step] = update
                progress.update(bar, completed=len(ended))
    return list(ended.values())
