"""`cv-pipelines store gc`: garbage collection."""

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from cv_pipelines.cli.context import open_catalog
from cv_pipelines.cli.output import console, json_option, print_json, print_table
from cv_pipelines.cli.waiting import shown_when_slow

if TYPE_CHECKING:
    from cv_pipelines.catalog import Catalog
    from cv_pipelines.retention.collection import Tally

_DAYS = 7
_CAREFUL_DAYS = 2
"""A store renews the age of what is written again within a day; the other one is for clocks that differ."""


@click.command()
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@click.option(
    "--days", type=click.FloatRange(min=0), default=_DAYS, show_default=True, help="Leave what is younger."
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
def gc(dry_run: bool, days: float, yes: bool, as_json: bool) -> None:
    """Delete what nothing refers to any more: what runs have left that were killed, or removals.

    Data sets keep all their versions and models. With less than 2 days no run may be at work.

    \b
    Examples:
      cv-pipelines store gc --dry-run
      cv-pipelines store gc --days 30 --yes
    """
    from cv_pipelines.retention.records import days_ago

    catalog = open_catalog()
    if days < _CAREFUL_DAYS:
        _require_no_runs()
    older_than = days_ago(catalog.database, days)
    if not (dry_run or yes):
        planned = _collect(catalog, older_than, dry_run=True)
        if not as_json:
            _show(planned)
        number, size = _deleted(planned).values()
        click.confirm(f"Delete {number:,} objects, {size / 1e6:,.1f} MB?", abort=True, err=True)
    tallies = _collect(catalog, older_than, dry_run)
    if as_json:
        kinds = {kind: asdict(tally) for kind, tally in tallies.items()}
        print_json({"dry_run": dry_run, "days": days, "kinds": kinds, "deleted": _deleted(tallies)})
        return
    if yes or dry_run:
        _show(tallies)
    number, size = _deleted(tallies).values()
    word = "would go" if dry_run else "are gone"
    console.print(f"{number:,} objects {word}: {size / 1e6:,.1f} MB.")


def _require_no_runs() -> None:
    from cv_pipelines.orchestration.instance import open_instance
    from cv_pipelines.orchestration.run_deletion import require_no_runs

    with open_instance() as instance:
        require_no_runs(instance)


def _collect(catalog: "Catalog", older_than: datetime, dry_run: bool) -> "dict[str, Tally]":
    from cv_pipelines.retention.collection import collect_garbage

    with shown_when_slow() as progress:
        return collect_garbage(catalog, older_than, dry_run, progress)


def _deleted(tallies: "dict[str, Tally]") -> dict[str, Any]:
    goes = [tally.deleted for tally in tallies.values()]
    return {"objects": sum(one.objects for one in goes), "bytes": sum(one.bytes for one in goes)}


def _show(tallies: "dict[str, Tally]") -> None:
    rows = [
        (kind, one.kept.objects, one.kept.bytes / 1e6, one.deleted.objects, one.deleted.bytes / 1e6)
        for kind, one in tallies.items()
    ]
    print_table(["", "stay#", "MB#", "go#", "MB#"], rows)
