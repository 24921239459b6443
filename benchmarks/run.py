"""All figures that we promise, as a table and as JSON: `make bench`."""

import argparse
import importlib
import json
import sys
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.measure import Figure, UnavailableError
from cv_pipelines.settings import ROOT

BENCHMARKS = (
    "importing",
    "ingest",
    "manifest",
    "labels",
    "detections",
    "label_store",
    "label_grid",
    "label_saving",
    "task_list",
    "s3",
    "prediction",
    "training",
    "similarity",
    "active_learning",
    "dagster_overhead",
    "task_intake",
    "task_latency",
    "task_classification",
    "motion",
    "worker_nodes",
)


def main() -> None:
    """Measure, print a table, write JSON; status 1 when a promise is not kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"some of {', '.join(BENCHMARKS)}")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, default=ROOT / "benchmarks" / "results" / "newest.json")
    arguments = parser.parse_args()
    figures: list[Figure] = []
    for name in arguments.names or BENCHMARKS:
        print(f"measuring {name} …", file=sys.stderr)
        try:
            figures += importlib.import_module(f"benchmarks.{name}").measure(arguments.rounds)
        except UnavailableError as reason:
            print(f"skipped {name}: {reason}", file=sys.stderr)
    show(figures)
    arguments.json.parent.mkdir(parents=True, exist_ok=True)
    arguments.json.write_text(json.dumps([asdict(one) | {"kept": one.kept} for one in figures], indent=2))
    sys.exit(0 if all(one.kept for one in figures) else 1)


def show(figures: list[Figure]) -> None:
    """Print figures as a table."""
    table = Table("what", "ratio", "spread", "promise", "", "behind it", box=None, header_style="bold")
    for one in figures:
        promise = f"{'≤' if one.at_most else '≥'} {one.limit:g}"
        spread = f"{one.spread[0]:.2f} to {one.spread[1]:.2f}"
        mark = "[green]kept[/]" if one.kept else "[red]missed[/]"
        table.add_row(one.name, f"{one.ratio:.2f}", spread, promise, mark, one.detail)
    Console(width=160).print(table)


if __name__ == "__main__":
    main()
