"""`cv-pipelines report`: what the loop of a data set has come to."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.markup import escape

from cv_pipelines.cli.context import open_catalog
from cv_pipelines.cli.output import console, json_option, print_json, print_table, show
from cv_pipelines.settings import load_settings

if TYPE_CHECKING:
    from cv_pipelines.catalog import Catalog
    from cv_pipelines.reports.summary import Loop


@click.command()
@click.argument("dataset")
@json_option
def report(dataset: str, as_json: bool) -> None:
    """Show figures and checks of a data set, and write its HTML report.

    \b
    Examples:
      cv-pipelines report digits
      cv-pipelines report digits --json
    """
    from cv_pipelines.reports.summary import read_loop, summarise

    catalog = open_catalog()
    loop = read_loop(catalog, dataset)
    summary = summarise(loop)
    if as_json:
        print_json(summary)
        return
    print_summary(summary)
    if loop.refusal:
        console.print(loop.refusal, style="yellow", markup=False, soft_wrap=True)
    console.print(f"Report: {write_html(catalog, loop)}", markup=False, soft_wrap=True)


def write_html(catalog: "Catalog", loop: "Loop") -> Path:
    """Write the HTML report of a data set into the state folder; returns its path."""
    from cv_pipelines.reports.html import write_report

    return write_report(catalog, loop, load_settings().state / "reports")


def print_summary(summary: dict[str, Any]) -> None:
    """Print the figures of a report, and the checks that did not pass."""
    speed = summary["images_per_second"]
    accuracy = None
    if summary["accuracy"] is not None:
        low, high = summary["accuracy_low"], summary["accuracy_high"]
        accuracy = f"{summary['accuracy']:.3f} (95 %: {low:.3f} to {high:.3f})"
    rows = [
        ("images", summary["images"]),
        ("quarantined", summary["quarantined"]),
        ("duplicates", summary["duplicates"]),
        ("test accuracy", accuracy),
        *((f"images/s, {name}", f"{value:,.0f}" if value else None) for name, value in speed.items()),
        ("model version", summary["model_version"]),
        ("dataset version", summary["dataset_version"]),
    ]
    print_table(["", summary["dataset"]], rows)
    checks = summary["checks"]
    failed = [check for check in checks if not check["passed"]]
    console.print(f"{len(checks) - len(failed)} of {len(checks)} checks passed.")
    for check in failed:
        mark = "[red]✗[/]" if check["blocking"] else "[yellow]![/]"
        console.print(f"{mark} {check['asset']}: {escape(check['message'])}", soft_wrap=True)
        for row in check["rows"][:5]:
            told = ", ".join(f"{name} {show(value)}" for name, value in row.items())
            console.print(f"    {told}", markup=False, soft_wrap=True)
